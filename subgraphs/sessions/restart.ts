import { announceSession } from '../../lib/db/session-life.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { isTerminal } from '../../lib/domain/session-states.ts'
import { requestEnd } from './end.ts'
import { asConflict, beginRun, prepareRun } from './run.ts'
import { checkKey, type StartDeps } from './start.ts'
import * as store from './store.ts'

export interface RestartSessionInput {
  sessionId: string | number
  idempotencyKey?: string | null
}

/**
 * A new session of the same deployment, as its config is now, with the values given for the old one: begun at once when the old one has ended, else PENDING until
 * it has, which is asked for in the same transaction. One at most waits. The same `idempotencyKey` answers the session it
 * made before. Throws `NotFound`, `Unavailable` (the host is OFFLINE or draining), or `Conflict` (another already waits).
 */
export const makeRestart =
  (deps: StartDeps) =>
  async (input: RestartSessionInput, actor: string): Promise<store.Session> => {
    const oldId = String(input.sessionId)
    const idempotencyKey = input.idempotencyKey ?? null
    if (idempotencyKey !== null) checkKey(idempotencyKey)
    if (!isUuid(oldId)) throw new NotFound('session', oldId)
    const ids = { installId: deps.newId(), id: deps.newId() }
    const restart = { ...ids, oldId, idempotencyKey, startDeadlineMs: deps.startDeadlineMs }
    return inTransaction(deps.db, (tx) => restartIn(tx, deps, restart, actor))
  }

interface Restart {
  oldId: string
  installId: string
  id: string
  idempotencyKey: string | null
  startDeadlineMs: number
}

const restartIn = async (tx: Transaction, deps: StartDeps, restart: Restart, actor: string): Promise<store.Session> => {
  const { oldId, id, installId, idempotencyKey, startDeadlineMs } = restart
  const locked = await store.lockSession(tx, oldId)
  if (!locked) throw new NotFound('session', oldId)
  const { session: old } = locked
  const { serverGameConfigId } = old
  const known = idempotencyKey === null ? undefined : await store.sessionByKey(tx, serverGameConfigId, idempotencyKey)
  if (known) return known
  const own = await store.ownSettings(tx, oldId)
  const run = await prepareRun(tx, deps.secrets, serverGameConfigId, { id, source: { sessionId: oldId, own } })
  const row = { ...run, id, installId, serverGameConfigId, idempotencyKey, startDeadlineMs, restartOf: oldId }
  if (old.kind === 'INSTALL') throw new Conflict('That is an install step: it is done again by reinstallDeployment.')
  if (isTerminal(old.status)) return beginRun(tx, row, actor)
  if (old.waitsFor) throw new Conflict('The session has not begun yet: it waits for the end of another one itself.')
  const waiting = await store.lockWaiting(tx, oldId)
  if (waiting) throw new Conflict(`A session waits for the end of this one already: ${waiting.id}.`)
  const { session } = await store.insertSession(tx, { ...row, kind: 'GAME', waitsFor: oldId }, actor).catch(asConflict)
  await announceSession(tx, session)
  await requestEnd(tx, 'session.stop', locked, actor)
  return session
}
