import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { newId } from '../process/new-id.ts'
import type { Database } from './connect.ts'
import { addEvents } from './outbox.ts'
import { inTransaction, type Transaction } from './transaction.ts'

/** A message that could not be read or applied, as it was, with why and from where. */
export interface DeadLetter {
  id: string
  /** When it was given up. */
  diedAt: Date
  /** The queue it was taken from; empty when nobody knows. */
  queue: string
  /** Where it was first published. */
  exchange: string
  routingKey: string
  messageId: string | null
  /** As the message says itself; null when it can't be read. */
  kind: string | null
  reason: string
  attempts: number
  content: Buffer
}

export type DeadLetterSummary = Omit<DeadLetter, 'content'> & { bytes: number }

/**
 * Keeps a dead letter, and tells everybody of one that is new: the same message, dead again in the same queue, stays one
 * letter, with the latest reason. Answers true when it is new.
 */
export const addDeadLetter = async (tx: Transaction, letter: Omit<DeadLetter, 'id'>): Promise<boolean> => {
  const { queue, messageId, content, kind, diedAt, exchange, routingKey, reason, attempts } = letter
  const fingerprint = createHash('sha256')
    .update(`${queue}\0`)
    .update(messageId ?? content)
    .digest()
  // Updating waits for who sends the letter again at this moment, and then finds it gone: so it is not lost.
  const { rows } = await sql<{ id: string; added: boolean }>`
    INSERT INTO dead_letters.letters AS letter
      (id, fingerprint, died_at, queue, exchange, routing_key, message_id, kind, reason, attempts, content)
    VALUES (${newId()}, ${fingerprint}, ${diedAt}, ${queue}, ${exchange}, ${routingKey}, ${messageId}, ${kind}, ${reason},
      ${attempts}, ${content})
    ON CONFLICT (fingerprint) DO UPDATE SET died_at = excluded.died_at, reason = excluded.reason, attempts = excluded.attempts
    RETURNING id, xmax = 0 AS added`.execute(tx)
  const { id: letterId, added } = rows[0]!
  const event = { kind: 'deadletter.added', letterId, queue, routingKey, messageKind: kind, reason, attempts } as const
  if (added) await addEvents(tx, [{ ...event, bytes: content.length }])
  return added
}

const summaryColumns = [
  'id',
  'died_at as diedAt',
  'queue',
  'exchange',
  'routing_key as routingKey',
  'message_id as messageId',
  'kind',
  'reason',
  'attempts',
] as const

/** All of them, the oldest first, without their content. They are bounded: see `pruneDeadLetters`. */
export const listDeadLetters = (db: Database): Promise<DeadLetterSummary[]> =>
  db
    .selectFrom('dead_letters.letters')
    .select(summaryColumns)
    .select(sql<number>`octet_length(content)`.as('bytes'))
    .orderBy('died_at')
    .orderBy('id')
    .execute()

export const findDeadLetter = (db: Database, id: string): Promise<DeadLetter | undefined> =>
  db
    .selectFrom('dead_letters.letters')
    .select([...summaryColumns, 'content'])
    .where('id', '=', id)
    .executeTakeFirst()

/**
 * Hands the letter to `send` and removes it once that has resolved. Nobody else sends or removes it meanwhile. Killed in
 * between, it is still there, and is sent twice: whoever consumes it changes things once. False when there is no such letter.
 */
export const resendDeadLetter = (db: Database, id: string, send: (letter: DeadLetter) => Promise<void>): Promise<boolean> =>
  inTransaction(db, async (tx) => {
    const letter = await tx
      .selectFrom('dead_letters.letters')
      .select([...summaryColumns, 'content'])
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst()
    if (!letter) return false
    await send(letter)
    await tx.deleteFrom('dead_letters.letters').where('id', '=', id).execute()
    return true
  })

/** Removes letters for good; answers how many there were. */
export const dropDeadLetters = async (db: Database, ids: readonly string[]): Promise<number> => {
  const { numDeletedRows } = await db
    .deleteFrom('dead_letters.letters')
    .where('id', '=', sql<string>`ANY(${ids}::uuid[])`)
    .executeTakeFirst()
  return Number(numDeletedRows)
}

export interface DeadLetterBounds {
  maxAgeMs: number
  maxLetters: number
  maxBytes: number
}

/** Removes the oldest beyond the bounds, and counts them for good. Answers how many of what. */
export const pruneDeadLetters = async (
  tx: Transaction,
  { maxAgeMs, maxLetters, maxBytes }: DeadLetterBounds,
): Promise<{ queue: string; kind: string | null; letters: number }[]> => {
  const { rows } = await sql<{ queue: string; kind: string | null; letters: number }>`
    WITH ranked AS (
      SELECT id, row_number() OVER newest AS place, sum(octet_length(content)) OVER newest AS bytes,
        died_at < now() - ${maxAgeMs} * interval '1 millisecond' AS old
      FROM dead_letters.letters WINDOW newest AS (ORDER BY died_at DESC, id DESC)
    ), gone AS (
      DELETE FROM dead_letters.letters letter USING ranked
      WHERE letter.id = ranked.id AND (old OR place > ${maxLetters} OR bytes > ${maxBytes})
      RETURNING queue, kind
    )
    SELECT queue, kind, count(*) AS letters FROM gone GROUP BY queue, kind`.execute(tx)
  const letters = rows.reduce((sum, row) => sum + row.letters, 0)
  if (letters > 0)
    await sql`
      INSERT INTO dead_letters.dropped AS dropped (letters, last_at) VALUES (${letters}, now())
      ON CONFLICT (one) DO UPDATE SET letters = dropped.letters + excluded.letters, last_at = excluded.last_at`.execute(tx)
  return rows
}

/** How many were ever removed because there were too many or they were too old, and when the last one was. */
export const droppedDeadLetters = (db: Database): Promise<{ letters: number; lastAt: Date } | undefined> =>
  db.selectFrom('dead_letters.dropped').select(['letters', 'last_at as lastAt']).executeTakeFirst()
