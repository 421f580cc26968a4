import { sql } from 'kysely'
import type { Database } from '../../lib/db/connect.ts'

/** What the archive has of a session's log: `lastSeq` 0 is nothing yet, `firstSeq` above 1 means that older lines expired. */
export interface ArchiveExtent {
  firstSeq: number
  lastSeq: number
  /** The session has ended, and its last line is archived. */
  isWhole: boolean
}

/** One object of the archive. */
export interface ArchivedLines {
  key: string
  firstSeq: number
  lastSeq: number
  bytes: number
}

export interface LineRange {
  fromSeq: number
  toSeq: number
  /** Only objects with lines of this time. */
  since: Date | null
  until: Date | null
}

export const archiveExtent = async (db: Database, sessionId: string): Promise<ArchiveExtent> => {
  const row = await db
    .selectFrom('sessions.sessions as session')
    .innerJoin('sessions.logs as log', 'log.session_id', 'session.id')
    .select(['log.first_seq as firstSeq', 'log.last_seq as lastSeq'])
    .select(sql<boolean>`coalesce(log.last_seq >= session.log_last_seq, false)`.as('isWhole'))
    .where('session.id', '=', sessionId)
    .executeTakeFirst()
  return row ?? { firstSeq: 1, lastSeq: 0, isWhole: false }
}

/** Objects with lines of the range, by number; from its end when `backward`. At most `limit`. */
export const archivedObjects = (
  db: Database,
  sessionId: string,
  { fromSeq, toSeq, since, until }: LineRange,
  { backward, limit }: { backward: boolean; limit: number },
): Promise<ArchivedLines[]> =>
  db
    .selectFrom('sessions.log_objects')
    .select(['key', 'first_seq as firstSeq', 'last_seq as lastSeq', 'bytes'])
    .where('session_id', '=', sessionId)
    .where('last_seq', '>=', fromSeq)
    .where('first_seq', '<=', toSeq)
    .$if(since !== null, (query) => query.where('last_at', '>=', since))
    .$if(until !== null, (query) => query.where('first_at', '<=', until))
    .orderBy('first_seq', backward ? 'desc' : 'asc')
    .limit(limit)
    .execute()
