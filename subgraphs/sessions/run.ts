import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import { type OperationKind, openOperation } from '../../lib/db/operations.ts'
import { refDeployment, refServer } from '../../lib/db/refs.ts'
import { addStart, announceSession } from '../../lib/db/session-life.ts'
import { isViolationOf, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound, Unavailable } from '../../lib/domain/errors.ts'
import type { RegistryAuth, SessionSpec } from '../../lib/messages/session-spec.ts'
import { buildInstallSpec, buildSpec } from '../../lib/spec/build.ts'
import { type Settings, type SettingsSource, settle } from '../../lib/spec/settings.ts'
import { sealRegistryAuth } from './registry-auth.ts'
import * as store from './store.ts'

/** What a session is begun with. */
export interface Run {
  serverId: string
  spec: SessionSpec
  registryAuth: RegistryAuth | null
  parameters: Settings['values']
  own: Settings['own']
  configRevision: number
  deploymentRevision: number
  /** The install step, where the config has one. */
  install: Pick<Run, 'spec' | 'registryAuth'> | null
}

/**
 * Where the session `id` of a deployment would run now, and with what. Throws `NotFound`, `Invalid` (a parameter), or
 * `Unavailable` when its host takes no sessions.
 */
export const prepareRun = async (
  tx: Transaction,
  secrets: SecretBox,
  deploymentId: string,
  { id, source }: { id: string; source: SettingsSource },
): Promise<Run> => {
  const deployment = await refDeployment(tx, deploymentId)
  if (!deployment) throw new NotFound('deployment', deploymentId)
  const { serverId, gameConfig } = deployment
  const server = await refServer(tx, serverId)
  if (!server) throw new Unavailable('The server of this deployment was deleted.')
  if (server.status === 'OFFLINE') throw new Unavailable(`The server ${server.name} is OFFLINE: its host has not been heard of.`)
  if (server.draining) throw new Unavailable(`The server ${server.name} is draining and takes no new sessions.`)
  const settings = settle(secrets, deployment, id, source)
  const withLogin = async (spec: SessionSpec): Promise<Pick<Run, 'spec' | 'registryAuth'>> => ({
    spec,
    registryAuth: await sealRegistryAuth(tx, secrets, { image: spec.image, server }),
  })
  const spec = buildSpec(deployment, server, settings)
  return {
    serverId,
    ...(await withLogin(spec)),
    install: gameConfig.install === null ? null : await withLogin(buildInstallSpec(spec, gameConfig.install)),
    parameters: settings.values,
    own: settings.own,
    configRevision: gameConfig.revision,
    deploymentRevision: deployment.revision,
  }
}

type NewRun = Run &
  Pick<store.NewSession, 'id' | 'serverGameConfigId' | 'idempotencyKey' | 'startDeadlineMs' | 'restartOf'> & {
    /** Lower than `id`: of two sessions the lower id is the earlier. */
    installId: string
  }

/** The session, begun at once, or after the install step where that has not been done. */
export const beginRun = async (
  tx: Transaction,
  { install, installId, ...run }: NewRun,
  actor: string,
): Promise<store.Session> => {
  if (!install || (await store.isInstalled(tx, run.serverGameConfigId))) return begin(tx, { ...run, kind: 'GAME' }, actor)
  const { id: waitsFor } = await beginInstall(tx, { ...run, install, installId }, actor)
  const { session } = await store.insertSession(tx, { ...run, kind: 'GAME', waitsFor }, actor).catch(asConflict)
  await announceSession(tx, session)
  return session
}

/** The install step alone. */
export const beginInstall = (
  tx: Transaction,
  { install, installId, ...run }: Omit<NewRun, 'id' | 'install'> & { install: NonNullable<Run['install']> },
  actor: string,
): Promise<store.Session> => {
  const own = { parameters: {}, secrets: {} }
  return begin(tx, { ...run, ...install, own, id: installId, kind: 'INSTALL', idempotencyKey: null, restartOf: null }, actor)
}

const operationOf = { GAME: 'SESSION', INSTALL: 'INSTALL' } as const satisfies Record<store.SessionKind, OperationKind>

/** Row, operation, change and command of a session that begins at once; `Conflict` when another was quicker. */
const begin = async (tx: Transaction, row: store.NewSession, actor: string): Promise<store.Session> => {
  const { id, kind, serverGameConfigId, spec, registryAuth } = row
  const { session, startDeadline } = await store.insertSession(tx, { ...row, waitsFor: null }, actor).catch(asConflict)
  await openOperation(tx, { serverGameConfigId, kind: operationOf[kind], subjectId: id })
  await announceSession(tx, session)
  await addStart(tx, { ...session, actor, spec, registryAuth, startDeadline: startDeadline ?? undefined })
  return session
}

export const liveConflict = (sessionId: string | undefined, cause?: unknown): Conflict =>
  new Conflict(`A session of this deployment is live already${sessionId ? `: ${sessionId}` : ''}. Stop it first.`, { cause })

export const asConflict = (error: unknown): never => {
  const raced = ['one_live_session_per_deployment', 'one_waiting_session_per_deployment', 'sessions_idempotency'].some((name) =>
    isViolationOf(error, name),
  )
  throw raced ? liveConflict(undefined, error) : error
}
