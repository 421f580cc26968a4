import { noteUnmade } from '../../lib/db/backup-ends.ts'
import { beginBackup, type NewBackup, refBackupPolicy } from '../../lib/db/backups.ts'
import type { Database } from '../../lib/db/connect.ts'
import { addCommand } from '../../lib/db/outbox.ts'
import { refServer } from '../../lib/db/refs.ts'
import { announceSession, askForEnd, finishSession } from '../../lib/db/session-life.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound, Unavailable } from '../../lib/domain/errors.ts'
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
    return inTransaction(db, (tx) => endNow(tx, kind, id, actor))
  }

const endNow = async (tx: Transaction, kind: EndKind, id: string, actor: string): Promise<store.Session> => {
  const locked = await store.lockSession(tx, id)
  if (!locked) throw new NotFound('session', id)
  await cancelWaiting(tx, id, actor)
  return requestEnd(tx, kind, locked, actor)
}

/**
 * A stop, with a backup before it where the deployment's policy wants one: then the session goes on until that is over.
 * Asked for once more it stops at once, and so it does when no backup can be begun, of which the list of backups tells why.
 */
export const makeStop = ({ db, newId }: { db: Database; newId: () => string }) => {
  const stopNow = makeEnd({ db }, 'session.stop')
  return async (id: string, actor: string): Promise<store.Session> => {
    if (!isUuid(id)) throw new NotFound('session', id)
    const backup = { id: newId(), trigger: 'BEFORE_STOP' as const, thenStop: id, actor }
    try {
      const session = await inTransaction(db, (tx) => backUpFirst(tx, id, backup))
      return session ?? (await stopNow(id, actor))
    } catch (error) {
      if (!(error instanceof NoBackup)) throw error
      const { message, serverGameConfigId } = error
      return inTransaction(db, async (tx) => {
        await noteUnmade(tx, { ...backup, serverGameConfigId }, message)
        return endNow(tx, 'session.stop', id, actor)
      })
    }
  }
}

/** Why there is no backup before the stop. */
class NoBackup extends Error {
  readonly serverGameConfigId: string
  constructor(serverGameConfigId: string, cause: Error) {
    super(cause.message, { cause })
    this.serverGameConfigId = serverGameConfigId
  }
}

/** The session with its backup begun; undefined when it is to stop without one. */
const backUpFirst = async (
  tx: Transaction,
  id: string,
  backup: Omit<NewBackup, 'serverGameConfigId'>,
): Promise<store.Session | undefined> => {
  const locked = await store.lockSession(tx, id)
  if (!locked || locked.stopRequested || locked.session.status !== 'RUNNING' || locked.session.kind !== 'GAME') return undefined
  const { serverGameConfigId } = locked.session
  if (!(await refBackupPolicy(tx, serverGameConfigId)).beforeStop) return undefined
  if (await store.stopsAfterBackup(tx, id)) return undefined
  await cancelWaiting(tx, id, backup.actor)
  await beginBackup(tx, { ...backup, serverGameConfigId }).catch((error) => {
    throw error instanceof Conflict || error instanceof Unavailable ? new NoBackup(serverGameConfigId, error) : error
  })
  return locked.session
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
