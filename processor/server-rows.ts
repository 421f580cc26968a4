import { sql } from 'kysely'
import { announceServers } from '../lib/db/events.ts'
import type { Transaction } from '../lib/db/transaction.ts'
import type { HostHealth } from '../lib/messages/statuses.ts'
import { skewCondition } from './clock-skew.ts'
import { tellsNews, type Vitals } from './vitals.ts'

/** The last sign of life of a machine. */
export interface Heard {
  serverId: string
  /** How long ago it came. */
  ageMs: number
  health: HostHealth
  /** How far its clock is behind ours, in ms; undefined while that is not known. */
  skewMs?: number
}

/**
 * Writes signs of life of many machines at once (at most one each); a machine's row becomes ONLINE. Those of an agent that
 * has been replaced, and of machines nobody has registered, change nothing; one without news writes nothing while the row's is
 * younger than `freshMs`. Answers the ids of the machines that count.
 */
export const writeHeard = async (tx: Transaction, heard: readonly Heard[], freshMs: number): Promise<string[]> => {
  const byServer = new Map(heard.map((one) => [one.serverId, one]))
  const rows = await lockServers(tx, [...byServer.keys()])
  const counted = rows.flatMap((row) => judge(row, byServer.get(row.id)!, freshMs) ?? [])
  const writes = counted.filter(({ due }) => due)
  await write(tx, writes)
  const changed = writes.filter(({ news }) => news)
  await announceServers(
    tx,
    changed.map(({ serverId }) => serverId),
  )
  return counted.map(({ serverId }) => serverId)
}

// In one order, so that two processors that write the same machines never wait for each other in a ring.
const lockServers = (tx: Transaction, ids: string[]) =>
  tx
    .selectFrom('servers.servers')
    .select(['id', 'status', 'agent_epoch', 'agent_version', 'capacity', 'conditions'])
    .select(sql<number | null>`(extract(epoch FROM clock_timestamp() - last_seen_at) * 1000)::float8`.as('seenMsAgo'))
    .where('id', '=', sql<string>`ANY(${ids}::uuid[])`)
    .where('deleted_at', 'is', null)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()

type ServerRow = Awaited<ReturnType<typeof lockServers>>[number]

interface Judged extends Heard {
  /** People see something change. */
  news: boolean
  /** To be written, if only for the time. */
  due: boolean
  /** What the row is to show. */
  vitals: Vitals
}

/** Undefined when an agent speaks that has been replaced. */
const judge = (row: ServerRow, heard: Heard, freshMs: number): Judged | undefined => {
  const { health } = heard
  if (health.epoch < row.agent_epoch) return undefined
  const known: Vitals = {
    agentVersion: row.agent_version,
    capacity: row.capacity as Vitals['capacity'],
    conditions: row.conditions as unknown as Vitals['conditions'],
  }
  const vitals = { ...health, conditions: conditionsOf(known.conditions, heard) }
  const news = row.status !== 'ONLINE' || tellsNews(known, vitals)
  const due = news || health.epoch > row.agent_epoch || (row.seenMsAgo ?? Number.POSITIVE_INFINITY) >= freshMs
  // A small drift of the capacity is not stored either: compared with a drifting value, no change would ever be news.
  return { ...heard, news, due, vitals: news ? vitals : known }
}

/** What the host says is wrong, and what only we can see. Since when is not its to say anew, whenever it is started. */
const conditionsOf = (known: Vitals['conditions'], { health, skewMs }: Heard): Vitals['conditions'] => {
  const sinceOf = new Map(known.map(({ kind, since }) => [kind, since]))
  const told = health.conditions.map((condition) => ({ ...condition, since: sinceOf.get(condition.kind) ?? condition.since }))
  const before = known.find(({ kind }) => kind === 'CLOCK_SKEW')
  const skew = skewCondition(skewMs, before, new Date().toISOString())
  return skew ? [...told, skew] : told
}

const write = async (tx: Transaction, heard: Judged[]): Promise<void> => {
  if (heard.length === 0) return
  const values = heard.map(({ serverId, ageMs, health, vitals }) => ({
    id: serverId,
    age_ms: ageMs,
    epoch: health.epoch,
    agent_version: vitals.agentVersion,
    capacity: vitals.capacity,
    conditions: vitals.conditions,
  }))
  await sql`
    UPDATE servers.servers s SET
      status = 'ONLINE',
      last_seen_at = greatest(s.last_seen_at, clock_timestamp() - h.age_ms * interval '1 millisecond'),
      agent_epoch = h.epoch,
      agent_version = h.agent_version,
      capacity = h.capacity,
      conditions = h.conditions
    FROM jsonb_to_recordset(${JSON.stringify(values)}::jsonb)
      AS h(id uuid, age_ms float8, epoch bigint, agent_version text, capacity jsonb, conditions jsonb)
    WHERE s.id = h.id`.execute(tx)
}

export interface SilenceLimits {
  staleAfterMs: number
  offlineAfterMs: number
}

/**
 * Machines not heard of for long become STALE, for longer OFFLINE; a limit of Infinity leaves its status out. At most `limit`
 * at once; those whose row others have locked come next time. Answers the machines changed.
 */
export const writeSilent = async (
  tx: Transaction,
  limits: SilenceLimits,
  limit: number,
): Promise<{ id: string; status: string }[]> => {
  const { rows } = await sql<{ id: string; status: string }>`
    UPDATE servers.servers s SET status = silent.becomes
    FROM (
      SELECT id, CASE WHEN ${silentFor(limits.offlineAfterMs)} THEN 'OFFLINE' ELSE 'STALE' END AS becomes
      FROM servers.servers
      WHERE deleted_at IS NULL AND (
        (status <> 'OFFLINE' AND ${silentFor(limits.offlineAfterMs)}) OR (status = 'ONLINE' AND ${silentFor(limits.staleAfterMs)}))
      ORDER BY id LIMIT ${limit}
      FOR NO KEY UPDATE SKIP LOCKED
    ) silent
    WHERE s.id = silent.id
    RETURNING s.id, s.status`.execute(tx)
  await announceServers(
    tx,
    rows.map(({ id }) => id),
  )
  return rows
}

const silentFor = (ms: number) =>
  Number.isFinite(ms) ? sql`last_seen_at < clock_timestamp() - ${ms} * interval '1 millisecond'` : sql`false`

/** A host that was told to leave may be heard of for so long. */
const sendAwayDelayMs = 30_000

/** Of these servers those that were deleted a while ago: a host that still speaks has not heard of it. */
export const deletedOf = async (tx: Transaction, ids: readonly string[]): Promise<string[]> => {
  const rows = await tx
    .selectFrom('servers.servers')
    .select('id')
    .where('id', '=', sql<string>`ANY(${[...ids]}::uuid[])`)
    .where('deleted_at', '<', sql<Date>`now() - ${sendAwayDelayMs} * interval '1 millisecond'`)
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}
