import type { Database } from '../../lib/db/connect.ts'
import { addCommand } from '../../lib/db/outbox.ts'
import { refServer } from '../../lib/db/refs.ts'
import { announceSession, askForEnd, finishSession } from '../../lib/db/session-life.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { isTerminal } from '../../lib/domain/session-states.ts'
import * as store from './store.ts'

type EndKind = 'session.stop' | 'session.kill'

const cancelled = 'Stopped before it had started.'
const abandoned = 'Given up with its host; should the host come back, it ends the game first.'

/**
 * Asks the session's host to end it. Already ended, or asked before, is success and answers the session as it is; a kill
 * is sent all the same while the session lives, as it may overtake a graceful stop. A session that waits for the end of
 * this one is cancelled with it.
 */
export const makeEnd =
  ({ db }: { db: Database }, kind: EndKind) =>
  async (id: string, actor: string): Promise<store.Session> => {
    if (!isUuid(id)) throw new NotFound('session', id)
    return inTransaction(db, async (tx) => {
      const locked = await store.lockSession(tx, id)
      if (!locked) throw new NotFound('session', id)
      await cancelWaiting(tx, id, actor)
      return requestEnd(tx, kind, locked, actor)
    })
  }

/** The same for a locked session, without regard to one that waits for its end. */
export const requestEnd = async (
  tx: Transaction,
  kind: EndKind,
  { session, stopRequested }: { session: store.Session; stopRequested: boolean },
  actor: string,
): Promise<store.Session> => {
  const { id, waitsFor } = session
  if (isTerminal(session.status)) return session
  if (waitsFor) return cancel(tx, id, actor)
  if (stopRequested && kind === 'session.stop') return session
  return { ...session, status: await askForEnd(tx, kind, session, actor) }
}

const cancel = async (tx: Transaction, id: string, actor: string): Promise<store.Session> => {
  const session = await store.writeEnd(tx, id, { reason: 'CANCELLED', message: cancelled, actor })
  await announceSession(tx, session)
  return session
}

const cancelWaiting = async (tx: Transaction, id: string, actor: string): Promise<void> => {
  const waiting = await store.lockWaiting(tx, id)
  if (waiting) await cancel(tx, waiting.id, actor)
}

/**
 * Ends a session whose host is gone for good: its deployment is free at once. A kill stands in the host's queue, so that it
 * ends the game before anything else should it ever return. Already ended is success. Throws `Conflict` while the host is
 * there: then the session can be stopped or killed.
 */
export const makeAbandon =
  ({ db }: { db: Database }) =>
  async (id: string, actor: string): Promise<store.Session> => {
    if (!isUuid(id)) throw new NotFound('session', id)
    return inTransaction(db, async (tx) => {
      const locked = await store.lockSession(tx, id)
      if (!locked) throw new NotFound('session', id)
      const { status, serverId } = locked.session
      if (isTerminal(status)) return locked.session
      const server = await refServer(tx, serverId)
      if (server?.status === 'ONLINE')
        throw new Conflict(`The host of ${server.name} is there: stop or kill the session instead.`)
      await cancelWaiting(tx, id, actor)
      const session = await store.writeEnd(tx, id, { reason: 'ABANDONED', message: abandoned, actor })
      await finishSession(tx, session, session.endedAt ?? new Date())
      await addCommand(tx, { serverId, actor, body: { kind: 'session.kill', sessionId: id } })
      return session
    })
  }
