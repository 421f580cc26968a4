import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import type { Database } from '../../lib/db/connect.ts'
import { openOperation } from '../../lib/db/operations.ts'
import { refDeployment, refServer } from '../../lib/db/refs.ts'
import { addStart, announceSession } from '../../lib/db/session-life.ts'
import { inTransaction, isViolationOf, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound, Unavailable } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import type { RegistryAuth, SessionSpec } from '../../lib/messages/session-spec.ts'
import { sealRegistryAuth } from './registry-auth.ts'
import { type Settings, type SettingsSource, settle } from './settings.ts'
import { buildSpec } from './spec.ts'
import * as store from './store.ts'

export interface StartSessionInput {
  serverGameConfigId: string | number
  /** Values for this session alone, by name. */
  parameters?: unknown
  idempotencyKey?: string | null
}

export interface StartDeps {
  db: Database
  newId: () => string
  /** How long a start may wait for its host; later it is FAILED and must not happen any more. */
  startDeadlineMs: number
  /** Reads the logins of private registries. */
  secrets: SecretBox
}

const maxKeyLength = 200

/**
 * Starts a session of a deployment: row, command and change in one transaction. The same `idempotencyKey` answers the
 * session it made before, also when two come at once. Throws `NotFound`, `Invalid` (a parameter is missing or wrong),
 * `Unavailable` (the host is OFFLINE or draining), or `Conflict` (a session is live, or another operation is under way).
 */
export const makeStart =
  (deps: StartDeps) =>
  async (input: StartSessionInput, actor: string): Promise<store.Session> => {
    const deploymentId = String(input.serverGameConfigId)
    const idempotencyKey = input.idempotencyKey ?? null
    if (idempotencyKey !== null) checkKey(idempotencyKey)
    if (!isUuid(deploymentId)) throw new NotFound('deployment', deploymentId)
    const { parameters } = input
    const start = { deploymentId, parameters, idempotencyKey, id: deps.newId(), startDeadlineMs: deps.startDeadlineMs }
    try {
      return await inTransaction(deps.db, (tx) => startIn(tx, deps.secrets, start, actor))
    } catch (error) {
      // It lost against another start: perhaps its own, sent twice.
      const twin = error instanceof Conflict && idempotencyKey !== null
      const known = twin ? await store.sessionByKey(deps.db, deploymentId, idempotencyKey) : undefined
      if (known) return known
      throw error
    }
  }

interface Start {
  id: string
  deploymentId: string
  parameters: unknown
  idempotencyKey: string | null
  startDeadlineMs: number
}

const startIn = async (tx: Transaction, secrets: SecretBox, start: Start, actor: string): Promise<store.Session> => {
  const { id, deploymentId, idempotencyKey, startDeadlineMs, parameters } = start
  const known = idempotencyKey === null ? undefined : await store.sessionByKey(tx, deploymentId, idempotencyKey)
  if (known) return known
  const run = await prepareRun(tx, secrets, deploymentId, { id, source: { input: parameters } })
  const live = await store.activeSessionOf(tx, deploymentId)
  if (live) throw liveConflict(live.id)
  const row = { ...run, id, serverGameConfigId: deploymentId, idempotencyKey, startDeadlineMs, restartOf: null }
  return beginSession(tx, row, actor)
}

interface Run {
  serverId: string
  spec: SessionSpec
  registryAuth: RegistryAuth | null
  parameters: Settings['values']
  own: Settings['own']
  configRevision: number
  deploymentRevision: number
}

/** Where the session `id` of a deployment would run now, and with what. Throws `Invalid`, `NotFound`, or `Unavailable` when its host takes no sessions. */
export const prepareRun = async (
  tx: Transaction,
  secrets: SecretBox,
  deploymentId: string,
  { id, source }: { id: string; source: SettingsSource },
): Promise<Run> => {
  const deployment = await refDeployment(tx, deploymentId)
  if (!deployment) throw new NotFound('deployment', deploymentId)
  const { serverId } = deployment
  const server = await refServer(tx, serverId)
  if (!server) throw new Unavailable('The server of this deployment was deleted.')
  if (server.status === 'OFFLINE') throw new Unavailable(`The server ${server.name} is OFFLINE: its host has not been heard of.`)
  if (server.draining) throw new Unavailable(`The server ${server.name} is draining and takes no new sessions.`)
  const registryAuth = await sealRegistryAuth(tx, secrets, { image: deployment.gameConfig.image, server })
  const settings = settle(secrets, deployment, id, source)
  return {
    serverId,
    registryAuth,
    spec: buildSpec(deployment, server, settings),
    parameters: settings.values,
    own: settings.own,
    configRevision: deployment.gameConfig.revision,
    deploymentRevision: deployment.revision,
  }
}

/** Row, operation, change and command of a session that begins at once; `Conflict` when another was quicker. */
export const beginSession = async (tx: Transaction, row: store.NewSession, actor: string): Promise<store.Session> => {
  const { id, serverGameConfigId, spec, registryAuth } = row
  const { session, startDeadline } = await store.insertSession(tx, { ...row, waitsFor: null }, actor).catch(asConflict)
  await openOperation(tx, { serverGameConfigId, kind: 'SESSION', subjectId: id })
  await announceSession(tx, session)
  await addStart(tx, { ...session, actor, spec, registryAuth, startDeadline: startDeadline ?? undefined })
  return session
}

const liveConflict = (sessionId: string | undefined, cause?: unknown): Conflict =>
  new Conflict(`A session of this deployment is live already${sessionId ? `: ${sessionId}` : ''}. Stop it first.`, { cause })

export const asConflict = (error: unknown): never => {
  const raced = ['one_live_session_per_deployment', 'one_waiting_session_per_deployment', 'sessions_idempotency'].some((name) =>
    isViolationOf(error, name),
  )
  throw raced ? liveConflict(undefined, error) : error
}

export const checkKey = (key: string): void => {
  const check = makeInputCheck()
  check.text('idempotencyKey', key, maxKeyLength)
  check.throwIfAny()
}
