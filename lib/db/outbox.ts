import { sql } from 'kysely'
import type { Changed } from '../messages/changes.ts'
import type { CommandBody } from '../messages/commands.ts'
import { messageVersion } from '../messages/envelope.ts'
import type { EventBody } from '../messages/events.ts'
import { exchanges, keys } from '../messages/routing.ts'
import { newId } from '../process/new-id.ts'
import type { Database } from './connect.ts'
import { type Transaction, tryLocks } from './transaction.ts'

/**
 * Adds a command for a host to the transaction; the relay publishes it after commit, in order per host.
 * Returns its number. `expiresAt` (database clock) drops it unsent, or in the broker, once it is worthless.
 * Locks the host's counter until commit: take it last, to hold it briefly.
 */
export const addCommand = async (
  tx: Transaction,
  command: { serverId: string; actor: string; body: CommandBody; expiresAt?: Date },
): Promise<number> => {
  const { last_number: number } = await tx
    .insertInto('outbox.command_numbers')
    .values({ server_id: command.serverId, last_number: 1 })
    .onConflict((conflict) => conflict.column('server_id').doUpdateSet({ last_number: sql`command_numbers.last_number + 1` }))
    .returning('last_number')
    .executeTakeFirstOrThrow()
  await insert(tx, {
    lane: commandLane(command.serverId),
    exchange: exchanges.commands,
    routingKey: keys.command(command.serverId, command.body.kind),
    body: { ...command.body, number, actor: command.actor },
    durable: true,
    expiresAt: command.expiresAt ?? null,
  })
  return number
}

const commandLane = (serverId: string): string => `host.${serverId}`

/** True for the lanes that commands are in. */
export const isCommandLane = (lane: string): boolean => lane.startsWith('host.')

type ChangeBody = Changed extends infer C ? (C extends Changed ? Omit<C, 'version' | 'id' | 'at'> : never) : never

/** Tells live subscriptions that a row has changed. The caller holds the row's lock, which orders changes of one row. */
export const addChange = (tx: Transaction, change: ChangeBody): Promise<void> => insert(tx, asMessage(change))

/** `addChange` for many rows, in one statement. */
export const addChanges = async (tx: Transaction, changes: readonly ChangeBody[]): Promise<void> => {
  if (changes.length > 0) await insert(tx, ...changes.map(asMessage))
}

/** Tells whoever listens outside; each is kept by the broker in the queues bound to it, behind what was told of the same thing. */
export const addEvents = async (tx: Transaction, events: readonly EventBody[]): Promise<void> => {
  if (events.length > 0) await insert(tx, ...events.map(asEvent))
}

const asEvent = (body: EventBody): NewMessage => ({
  lane: laneOf(body),
  exchange: exchanges.events,
  routingKey: body.kind,
  body,
  durable: true,
  expiresAt: null,
})

const laneOf = (event: EventBody): string => {
  if ('backupId' in event) return `backup.${event.backupId}`
  if ('sessionId' in event) return `session.${event.sessionId}`
  if ('scheduleId' in event) return `schedule.${event.scheduleId}`
  return 'serverId' in event ? `server.${event.serverId}` : 'dead-letters'
}

interface NewMessage {
  lane: string
  exchange: string
  routingKey: string
  body: object
  durable: boolean
  expiresAt: Date | null
}

const asMessage = (change: ChangeBody): NewMessage => ({
  ...wayOf(change),
  exchange: exchanges.events,
  body: change,
  durable: false,
  expiresAt: null,
})

const wayOf = (change: ChangeBody): Pick<NewMessage, 'lane' | 'routingKey'> => {
  const { serverId } = change
  if (change.kind === 'changed.session')
    return { lane: `session.${change.sessionId}`, routingKey: keys.changedSession(serverId, change.sessionId) }
  if (change.kind === 'changed.backup')
    return { lane: `backup.${change.backupId}`, routingKey: keys.changedBackup(serverId, change.backupId) }
  return { lane: `server.${serverId}`, routingKey: keys.changedServer(serverId) }
}

const insert = async (tx: Transaction, ...messages: NewMessage[]): Promise<void> => {
  const at = new Date().toISOString()
  const rows = messages.map((message) => {
    const id = newId()
    return {
      id,
      lane: message.lane,
      exchange: message.exchange,
      routing_key: message.routingKey,
      body: JSON.stringify({ version: messageVersion, id, at, ...message.body }),
      durable: message.durable,
      expires_at: message.expiresAt,
    }
  })
  await tx.insertInto('outbox.messages').values(rows).execute()
}

/** A message of the outbox, as the relay publishes it. */
export interface UnsentMessage {
  id: string
  lane: string
  exchange: string
  routingKey: string
  body: object
  durable: boolean
  /** Milliseconds left by the database's clock; null means for ever; 0 or less means it is not sent any more. */
  expiresInMs: number | null
}

/** Lanes with unsent messages, the longest-waiting first, without those in `except`. */
export const lanesWithUnsent = async (db: Database, limit: number, except: readonly string[] = []): Promise<string[]> => {
  const rows = await db
    .selectFrom('outbox.messages')
    .select('lane')
    .where('sent_at', 'is', null)
    .where(sql<boolean>`lane <> ALL(${[...except]}::text[])`)
    .groupBy('lane')
    .orderBy(sql`min(position)`)
    .limit(limit)
    .execute()
  return rows.map((row) => row.lane)
}

const lockOf = (lane: string): string => `lane ${lane}`

/**
 * Claims lanes for one publisher (advisory locks until the transaction ends; `send` is awaited inside) and marks sent what
 * `send` has confirmed of the oldest `limit` messages: it returns their ids, of each lane in order, up to the first it could
 * not. Answers the lanes claimed, without those that another publisher has, and how many messages were marked.
 */
export const sendLanes = (
  db: Database,
  lanes: readonly string[],
  limit: number,
  send: (messages: UnsentMessage[]) => Promise<string[]>,
): Promise<{ claimed: readonly string[]; marked: number }> =>
  db.transaction().execute(async (tx) => {
    const locked = await tryLocks(tx, lanes.map(lockOf))
    const claimed = lanes.filter((lane) => locked.has(lockOf(lane)))
    if (claimed.length === 0) return { claimed, marked: 0 }
    const rows = await tx
      .selectFrom('outbox.messages')
      .select(['id', 'lane', 'exchange', 'routing_key as routingKey', 'body', 'durable'])
      .select(sql<number | null>`(extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8`.as('expiresInMs'))
      .where('lane', 'in', claimed)
      .where('sent_at', 'is', null)
      .orderBy('position')
      .limit(limit)
      .execute()
    const sent = await send(rows.map((row) => ({ ...row, body: row.body as object })))
    if (sent.length > 0) {
      await tx.updateTable('outbox.messages').set({ sent_at: sql`now()` }).where('id', 'in', sent).execute()
    }
    return { claimed, marked: sent.length }
  })

/** Removes messages sent longer ago than `olderThan`; at most `limit` at once. Returns how many. */
export const purgeSent = async (db: Database, olderThan: Date, limit: number): Promise<number> => {
  const result = await db
    .deleteFrom('outbox.messages')
    .where('id', 'in', (eb) => eb.selectFrom('outbox.messages').select('id').where('sent_at', '<', olderThan).limit(limit))
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
