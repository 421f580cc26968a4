import { sql } from 'kysely'
import type { Database } from '../lib/db/connect.ts'
import { Unavailable } from '../lib/domain/errors.ts'
import { isTerminal, sessionStatuses } from '../lib/domain/session-states.ts'
import { withTimeout } from '../lib/process/retry.ts'

/** What the database says of the whole fleet. */
export interface FleetFigures {
  sessions: Record<string, number>
  servers: Record<string, number>
  /** Seconds since each machine was last heard of. */
  silences: { id: string; name: string; status: string; seconds: number }[]
  commandsQueued: number
  /** Unsent messages of the outbox, counted up to `countedUnsent`. */
  unsent: number
  oldestUnsentSeconds: number
}

/** Beyond so many it no longer matters how many. */
const countedUnsent = 100_000
const liveStatuses = sessionStatuses.filter((status) => !isTerminal(status))
const serverStatuses = ['ONLINE', 'STALE', 'OFFLINE'] as const
/** However many ask, and however often, the database is asked no more often than this. */
const keepMs = 5_000
/** Whoever scrapes waits no longer for a database that hangs. */
const readLimitMs = 3_000

/** Reads the figures, each at most `keepMs` old. Every query is one over live rows only, by an index where history grows. */
export const makeFleetFigures = (db: Database) => {
  let known: { figures: Promise<FleetFigures>; untilMs: number } | undefined
  return (): Promise<FleetFigures> => {
    if (known && known.untilMs > performance.now()) return known.figures
    const figures = withTimeout(read(db), readLimitMs, () => new Unavailable('PostgreSQL did not answer in time.'))
    known = { figures, untilMs: performance.now() + keepMs }
    return figures
  }
}

const read = async (db: Database): Promise<FleetFigures> => {
  // One after the other: whoever looks at metrics must not take the work's connections.
  const sessions = await db
    .selectFrom('sessions.sessions')
    .select(['status', (eb) => eb.fn.countAll<number>().as('count')])
    .where('status', 'not in', ['STOPPED', 'CRASHED', 'FAILED'])
    .groupBy('status')
    .execute()
  const silences = await readSilences(db)
  const { queued } = await db
    .selectFrom('outbox.command_numbers')
    .select(sql<number>`coalesce(sum(last_number), 0)::float8`.as('queued'))
    .executeTakeFirstOrThrow()
  const waiting = await readUnsent(db)
  return {
    sessions: countsOf(liveStatuses, sessions),
    servers: Object.fromEntries(serverStatuses.map((status) => [status, silences.filter((one) => one.status === status).length])),
    silences: silences.filter((one) => one.seconds !== null) as FleetFigures['silences'],
    commandsQueued: queued,
    ...waiting,
  }
}

const countsOf = (names: readonly string[], rows: { status: string; count: number }[]): Record<string, number> => ({
  ...Object.fromEntries(names.map((name) => [name, 0])),
  ...Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)])),
})

const readSilences = (db: Database) =>
  db
    .selectFrom('servers.servers')
    .select([
      'id',
      'name',
      'status',
      sql<number | null>`extract(epoch FROM clock_timestamp() - last_seen_at)::float8`.as('seconds'),
    ])
    .where('deleted_at', 'is', null)
    .orderBy('id')
    .execute()

const readUnsent = async (db: Database): Promise<Pick<FleetFigures, 'unsent' | 'oldestUnsentSeconds'>> => {
  const { rows } = await sql<{ unsent: number; seconds: number }>`
    SELECT count(*)::int AS unsent, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS seconds
    FROM (SELECT created_at FROM outbox.messages WHERE sent_at IS NULL LIMIT ${countedUnsent}) waiting`.execute(db)
  return { unsent: rows[0]?.unsent ?? 0, oldestUnsentSeconds: rows[0]?.seconds ?? 0 }
}
