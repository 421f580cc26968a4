import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import type { Database } from '../../lib/db/connect.ts'
import { closeOperation } from '../../lib/db/operations.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { beginRun, liveConflict, prepareRun } from './run.ts'
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
 * Starts a session of a deployment: row, command and change in one transaction. Where its install step has not been done, that
 * comes first, and the session waits for it. The same `idempotencyKey` answers the
 * session it made before, also when two come at once. Throws `NotFound`, `Invalid` (a parameter is missing or wrong),
 * `Unavailable` (the host is OFFLINE or draining), or `Conflict` (a session is live, or another operation is under way).
 * `handover` is the subject of the operation that ends with this start, for what has held the deployment until now.
 */
export const makeStart =
  (deps: StartDeps) =>
  async (input: StartSessionInput, actor: string, handover?: string): Promise<store.Session> => {
    const deploymentId = String(input.serverGameConfigId)
    const idempotencyKey = input.idempotencyKey ?? null
    if (idempotencyKey !== null) checkKey(idempotencyKey)
    if (!isUuid(deploymentId)) throw new NotFound('deployment', deploymentId)
    const { parameters } = input
    const { newId, startDeadlineMs } = deps
    const ids = { installId: newId(), id: newId() }
    const start = { ...ids, handover, deploymentId, parameters, idempotencyKey, startDeadlineMs }
    try {
      return await inTransaction(deps.db, (tx) => startIn(tx, deps, start, actor))
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
  installId: string
  deploymentId: string
  parameters: unknown
  idempotencyKey: string | null
  startDeadlineMs: number
  handover: string | undefined
}

const startIn = async (tx: Transaction, deps: StartDeps, start: Start, actor: string): Promise<store.Session> => {
  const { id, installId, deploymentId, idempotencyKey, startDeadlineMs, parameters } = start
  const known = idempotencyKey === null ? undefined : await store.sessionByKey(tx, deploymentId, idempotencyKey)
  if (known) return known
  const run = await prepareRun(tx, deps.secrets, deploymentId, { id, source: { input: parameters } })
  if (start.handover !== undefined) await closeOperation(tx, start.handover, new Date())
  const live = await store.activeSessionOf(tx, deploymentId)
  if (live) throw liveConflict(live.id)
  const row = { ...run, id, installId, serverGameConfigId: deploymentId, idempotencyKey, startDeadlineMs, restartOf: null }
  return beginRun(tx, row, actor)
}

export const checkKey = (key: string): void => {
  const check = makeInputCheck()
  check.text('idempotencyKey', key, maxKeyLength)
  check.throwIfAny()
}
