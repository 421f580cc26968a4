import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectDatabase } from '../../../lib/db/connect.ts'
import { listenTo } from '../../../lib/db/listen.ts'
import { closeOperation, openOperation } from '../../../lib/db/operations.ts'
import {
  addChange,
  addChanges,
  addCommand,
  lanesWithUnsent,
  purgeSent,
  sendLanes,
  type UnsentMessage,
} from '../../../lib/db/outbox.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { Conflict } from '../../../lib/domain/errors.ts'
import { changedSchema } from '../../../lib/messages/changes.ts'
import { commandSchema } from '../../../lib/messages/commands.ts'
import { readMessage, writeMessage } from '../../../lib/messages/envelope.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { insertDeployment, insertServer } from '../../support/rows.ts'

const logger = makeLogger({ name: 'test', level: 'fatal' })
let database: TestDatabase
let pool: ReturnType<typeof connectDatabase>
beforeAll(async () => {
  database = await createTestDatabase()
  pool = connectDatabase({ url: database.url, name: 'test', logger, max: 20 })
})
afterAll(async () => {
  await pool.close()
  await database.drop()
})

const addStop = (serverId: string, sessionId = newId()): Promise<number> =>
  inTransaction(pool.db, (tx) => addCommand(tx, { serverId, actor: 'test', body: { kind: 'session.stop', sessionId } }))
const laneOf = (serverId: string): string => `host.${serverId}`
const numbers = (messages: UnsentMessage[]): number[] => messages.map(({ body }) => (body as { number: number }).number)
/** One lane; null when another has it. */
const sendLane = async (db: typeof pool.db, lane: string, limit: number, send: Parameters<typeof sendLanes>[3]) => {
  const { claimed, marked } = await sendLanes(db, [lane], limit, send)
  return claimed.length === 0 ? null : marked
}
const ids = (messages: UnsentMessage[]): string[] => messages.map(({ id }) => id)

describe('lanes of the outbox', () => {
  it('are claimed together, but for those that another has', async () => {
    const [mine, other] = [newId(), newId()]
    for (const serverId of [mine, other, mine]) await addStop(serverId)
    const lanes = [laneOf(mine), laneOf(other)]
    await sendLanes(pool.db, [laneOf(other)], 10, async () => {
      const { claimed, marked } = await sendLanes(pool.db, lanes, 10, async (messages) => {
        expect(messages.map(({ lane }) => lane)).toEqual([laneOf(mine), laneOf(mine)])
        return ids(messages)
      })
      expect({ claimed, marked }).toEqual({ claimed: [laneOf(mine)], marked: 2 })
      return []
    })
    expect(await sendLane(pool.db, laneOf(other), 10, async (messages) => ids(messages))).toBe(1)
  })
})

describe('commands in the outbox', () => {
  it('are numbered per host in order of commit, without holes, also when transactions are rolled back', async () => {
    const serverId = newId()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, i) =>
        inTransaction(pool.db, async (tx) => {
          const number = await addCommand(tx, { serverId, actor: 'test', body: { kind: 'session.stop', sessionId: newId() } })
          if (i % 4 === 0) throw new Error('changed my mind')
          return number
        }),
      ),
    )
    const given = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(given.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
    let seen: UnsentMessage[] = []
    await sendLane(pool.db, laneOf(serverId), 100, async (messages) => {
      seen = messages
      return []
    })
    expect(numbers(seen)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  })

  it('can be read by a host as they stand', async () => {
    const serverId = newId()
    const sessionId = newId()
    await addStop(serverId, sessionId)
    await sendLane(pool.db, laneOf(serverId), 1, async ([message]) => {
      expect(message).toMatchObject({ durable: true, expiresInMs: null, routingKey: `command.host.${serverId}.session.stop` })
      expect(readMessage(commandSchema, writeMessage(message!.body))).toMatchObject({ id: message!.id, number: 1, sessionId })
      return []
    })
  })

  it('say how long they last by the clock of the database', async () => {
    const serverId = newId()
    const expiresAt = new Date(Date.now() + 60_000)
    await inTransaction(pool.db, (tx) =>
      addCommand(tx, { serverId, actor: 'test', body: { kind: 'session.stop', sessionId: newId() }, expiresAt }),
    )
    await sendLane(pool.db, laneOf(serverId), 1, async ([message]) => {
      expect(message!.expiresInMs).toBeGreaterThan(50_000)
      expect(message!.expiresInMs).toBeLessThanOrEqual(60_000)
      return []
    })
  })
})

describe('changes in the outbox', () => {
  it('are one lane per row, and can be read as they stand', async () => {
    const [serverId, sessionId] = [newId(), newId()]
    await inTransaction(pool.db, async (tx) => {
      await addChange(tx, { kind: 'changed.session', sessionId, serverGameConfigId: newId(), serverId })
      await addChanges(tx, [
        { kind: 'changed.server', serverId },
        { kind: 'changed.server', serverId: sessionId },
      ])
      await addChanges(tx, [])
    })
    for (const lane of [`session.${sessionId}`, `server.${serverId}`, `server.${sessionId}`]) {
      const count = await sendLane(pool.db, lane, 10, async (messages) => {
        expect(readMessage(changedSchema, writeMessage(messages[0]!.body)).id).toBe(messages[0]!.id)
        return ids(messages)
      })
      expect(count).toBe(1)
    }
  })
})

describe('a lane', () => {
  it('is sent by one at a time', async () => {
    const serverId = newId()
    await addStop(serverId)
    const sent = await sendLane(pool.db, laneOf(serverId), 10, async (messages) => {
      expect(await sendLane(pool.db, laneOf(serverId), 10, async () => [])).toBeNull()
      return ids(messages)
    })
    expect(sent).toBe(1)
  })

  it('keeps what was not sent, and everything when the sender fails', async () => {
    const serverId = newId()
    for (let i = 0; i < 3; i++) await addStop(serverId)
    await expect(sendLane(pool.db, laneOf(serverId), 10, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await sendLane(pool.db, laneOf(serverId), 10, async (messages) => ids(messages.slice(0, 1)))).toBe(1)
    await sendLane(pool.db, laneOf(serverId), 10, async (messages) => {
      expect(numbers(messages)).toEqual([2, 3])
      return []
    })
  })

  it('is listed while it has something unsent, the longest-waiting first, without those left out', async () => {
    await pool.db.updateTable('outbox.messages').set({ sent_at: sql`now()` }).where('sent_at', 'is', null).execute()
    const servers = [newId(), newId(), newId()]
    for (const serverId of servers) await addStop(serverId)
    await addStop(servers[0]!)
    expect(await lanesWithUnsent(pool.db, 10)).toEqual(servers.map(laneOf))
    expect(await lanesWithUnsent(pool.db, 1)).toEqual([laneOf(servers[0]!)])
    expect(await lanesWithUnsent(pool.db, 10, [laneOf(servers[0]!)])).toEqual(servers.slice(1).map(laneOf))
  })
})

describe('sent messages', () => {
  it('are purged by age, a bounded number at once', async () => {
    await pool.db.updateTable('outbox.messages').set({ sent_at: sql`now() - interval '2 hours'` }).execute()
    const serverId = newId()
    await addStop(serverId)
    const hourAgo = new Date(Date.now() - 3_600_000)
    expect(await purgeSent(pool.db, hourAgo, 5)).toBe(5)
    expect(await purgeSent(pool.db, hourAgo, 1_000)).toBeGreaterThan(5)
    expect(await purgeSent(pool.db, hourAgo, 1_000)).toBe(0)
    expect(await lanesWithUnsent(pool.db, 10)).toEqual([laneOf(serverId)])
  })
})

describe('a listener', () => {
  it('hears of every commit to the outbox, and begins again when its connection is lost', async () => {
    let heard = 0
    const listener = listenTo({ url: database.url, channel: 'manman_outbox', onNotify: () => void heard++, logger })
    await eventually(() => heard === 1, { what: 'it is told once it listens' })
    await addStop(newId())
    await eventually(() => heard === 2, { what: 'it hears of the commit' })
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'manman-listen-manman_outbox'`.execute(pool.db)
    await eventually(() => heard === 3, { what: 'it is told when it listens again' })
    await addStop(newId())
    await eventually(() => heard === 4, { what: 'it hears of the next commit' })
    await listener.close()
  })
})

describe('an operation', () => {
  it('is the only open one of its deployment, however many come at once', async () => {
    const serverGameConfigId = await insertDeployment(pool.db, await insertServer(pool.db))
    const open = async (): Promise<string> => {
      const subjectId = newId()
      await inTransaction(pool.db, (tx) => openOperation(tx, { serverGameConfigId, kind: 'SESSION', subjectId }))
      return subjectId
    }
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, open))
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(won).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(Conflict)
    const close = () => inTransaction(pool.db, (tx) => closeOperation(tx, won[0]!, new Date()))
    await close()
    await close()
    await open()
  })
})
