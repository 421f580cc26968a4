import { sql } from 'kysely'
import type { Database } from '../lib/db/connect.ts'
import type { Transaction } from '../lib/db/transaction.ts'
import { Unavailable } from '../lib/domain/errors.ts'
import { Unreadable } from '../lib/messages/envelope.ts'
import type { LogBlock } from '../lib/messages/log-archive.ts'

/**
 * Number of the last archived line of a session, 0 for none. Rejects with `Unavailable` for a session that nobody has told of
 * yet, as its report may still be on its way, and with `Unreadable` for one of another server.
 */
export const archivedOf = async (db: Database, serverId: string, sessionId: string): Promise<number> => {
  const row = await db
    .selectFrom('sessions.sessions as session')
    .leftJoin('sessions.logs as log', 'log.session_id', 'session.id')
    .select(['session.server_id as serverId', 'log.last_seq as lastSeq'])
    .where('session.id', '=', sessionId)
    .executeTakeFirst()
  if (!row) throw new Unavailable(`Session ${sessionId} is not known yet.`)
  if (row.serverId !== serverId) throw new Unreadable(`session ${sessionId} is not of server ${serverId}`)
  return row.lastSeq ?? 0
}

/** Enters an object, and moves the end of the session's archive to its last line. */
export const writeArchived = async (tx: Transaction, block: LogBlock, key: string): Promise<void> => {
  const { sessionId, firstSeq, lastSeq, bytes, size } = block
  await tx
    .insertInto('sessions.logs')
    .values({ session_id: sessionId, last_seq: lastSeq, bytes, stored_bytes: size })
    .onConflict((conflict) =>
      conflict.column('session_id').doUpdateSet({
        last_seq: lastSeq,
        bytes: sql`logs.bytes + excluded.bytes`,
        stored_bytes: sql`logs.stored_bytes + excluded.stored_bytes`,
      }),
    )
    .execute()
  await tx
    .insertInto('sessions.log_objects')
    .values({
      session_id: sessionId,
      first_seq: firstSeq,
      last_seq: lastSeq,
      first_at: new Date(block.firstAt),
      last_at: new Date(block.lastAt),
      bytes,
      stored_bytes: size,
      key,
    })
    .execute()
}
