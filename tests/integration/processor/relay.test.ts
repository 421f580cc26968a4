import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { addChange, addCommand } from '../../../lib/db/outbox.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { changedSchema } from '../../../lib/messages/changes.ts'
import type { Command } from '../../../lib/messages/commands.ts'
import { readMessage } from '../../../lib/messages/envelope.ts'
import { exchanges, keys, queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import type { Processor } from '../../../processor/app.ts'
import { eventually } from '../../support/eventually.ts'
import { insertServer } from '../../support/rows.ts'
import { becomesReady, isReady, openStage, type Stage } from './stage.ts'

let stage: Stage
let relays: [Processor, Processor]
beforeAll(async () => {
  stage = await openStage()
  relays = [await stage.startProcessor(), await stage.startProcessor()]
  await Promise.all(relays.map(becomesReady))
})
afterEach(() => {
  stage.proxies.broker.restore()
  stage.proxies.database.restore()
})
afterAll(() => stage.close())

/** As a host does it: what is not above the highest number applied changes nothing. */
const applied = (commands: Command[]): number[] => {
  const done: number[] = []
  for (const { number } of commands) if (number > (done.at(-1) ?? 0)) done.push(number)
  return done
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)
const messages = async (sentAt: 'is' | 'is not'): Promise<number> => {
  const { n } = await stage.db
    .selectFrom('outbox.messages')
    .select(sql<number>`count(*)`.as('n'))
    .where('sent_at', sentAt, null)
    .executeTakeFirstOrThrow()
  return n
}
const unsent = (): Promise<number> => messages('is')
const sent = (): Promise<number> => messages('is not')
const addStops = (serverId: string, count: number) =>
  Promise.all(Array.from({ length: count }, () => stage.addStop(serverId, newId())))
const sum = (key: 'published' | 'expired'): number => relays.reduce((total, relay) => total + relay.counters().relay[key], 0)

describe('the relay', () => {
  it('publishes the first command for a server whose queues nobody has declared', async () => {
    const serverId = await insertServer(stage.db)
    const sessionId = newId()
    await stage.addStop(serverId, sessionId)
    const heard = await stage.openHost(serverId)
    await eventually(() => heard.length === 1, { what: 'the host has the command' })
    expect(heard[0]).toMatchObject({ kind: 'session.stop', number: 1, actor: 'test', sessionId })
    await eventually(async () => (await unsent()) === 0, { what: 'the command is marked sent' })
  })

  it('keeps the order per host, with many writers and two relays', async () => {
    const [spare, ...servers] = await Promise.all([0, 1, 2, 3, 4].map(() => insertServer(stage.db)))
    const takePart = async (): Promise<boolean> => {
      await addStops(spare!, 1)
      return relays.every((relay) => relay.counters().relay.published > 0)
    }
    await eventually(takePart, { what: 'both relays publish', everyMs: 5 })
    const heard = await Promise.all(servers.map((serverId) => stage.openHost(serverId)))
    await Promise.all(servers.map((serverId) => addStops(serverId, 50)))
    await eventually(() => heard.every((commands) => commands.at(-1)?.number === 50), { what: 'every host has all commands' })
    for (const commands of heard) expect(commands.map((command) => command.number)).toEqual(upTo(50))
    await eventually(async () => (await unsent()) === 0, { what: 'all are marked sent' })
    await eventually(async () => sum('published') === (await sent()), { what: 'each is counted once' })
  })

  it('publishes soon after the commit', async () => {
    const serverId = await insertServer(stage.db)
    const heard = await stage.openHost(serverId)
    await stage.addStop(serverId, newId())
    await eventually(() => heard.length === 1, { what: 'the first command, which declares the queues' })
    const startedAt = performance.now()
    await stage.addStop(serverId, newId())
    await eventually(() => heard.length === 2, { what: 'the second command', everyMs: 2 })
    expect(performance.now() - startedAt).toBeLessThan(500) // it would be up to a second by looking alone
  })

  it('tells whoever listens that a row has changed, and does not mind when nobody does', async () => {
    const { queue } = await stage.direct().assertQueue('', { exclusive: true })
    await stage.direct().bindQueue(queue, exchanges.events, keys.anyChangedServer)
    const serverId = newId()
    const inOther = newId()
    await inTransaction(stage.db, async (tx) => {
      await addChange(tx, { kind: 'changed.session', sessionId: inOther, serverGameConfigId: inOther, serverId })
      await addChange(tx, { kind: 'changed.server', serverId })
    })
    const got = await eventually(() => stage.direct().get(queue, { noAck: true }), { what: 'the change' })
    expect(readMessage(changedSchema, got.content)).toMatchObject({ kind: 'changed.server', serverId })
    await eventually(async () => (await unsent()) === 0, { what: 'both are marked sent' })
  })

  it('lets a command expire in the queue of a host that is away', async () => {
    const serverId = await insertServer(stage.db)
    await inTransaction(stage.db, (tx) =>
      addCommand(tx, {
        serverId,
        actor: 'test',
        body: { kind: 'session.stop', sessionId: newId() },
        expiresAt: new Date(Date.now() + 1_000),
      }),
    )
    await eventually(async () => (await unsent()) === 0, { what: 'the command is marked sent' })
    const waiting = async () => (await stage.direct().checkQueue(queues.hostCommands(serverId))).messageCount
    await eventually(async () => (await waiting()) === 0, { what: 'the command has expired' })
    const heard = await stage.openHost(serverId)
    await stage.addStop(serverId, newId())
    await eventually(() => heard.length === 1, { what: 'the next command' })
    expect(heard[0]?.number).toBe(2)
  })

  it('does not publish a command whose time is over', async () => {
    const serverId = await insertServer(stage.db)
    const before = sum('expired')
    await inTransaction(stage.db, async (tx) => {
      const body = { kind: 'session.stop' as const, sessionId: newId() }
      await addCommand(tx, { serverId, actor: 'test', body, expiresAt: new Date(Date.now() - 1_000) })
      await addCommand(tx, { serverId, actor: 'test', body })
    })
    const heard = await stage.openHost(serverId)
    await eventually(() => heard.length === 1, { what: 'the command that lasts' })
    expect(heard[0]?.number).toBe(2)
    // Counted once the lane's marks are committed, which is after its last message has arrived.
    await eventually(() => sum('expired') - before === 1, { what: 'the other one is counted as expired' })
  })

  it('goes on with other lanes while one is stuck, and with that one when it is freed', async () => {
    const [stuck, other] = await Promise.all([insertServer(stage.db), insertServer(stage.db)])
    // The queue of a host that takes no more: full, and set to refuse.
    const queue = queues.hostCommands(stuck)
    await stage.direct().assertQueue(queue, { arguments: { 'x-max-length': 0, 'x-overflow': 'reject-publish' } })
    await stage.direct().bindQueue(queue, exchanges.commands, keys.command(stuck, 'session.stop'))
    await addStops(stuck, 3)
    const heard = await stage.openHost(other)
    for (let n = 1; n <= 3; n++) {
      await addStops(other, 1)
      await eventually(() => heard.length === n, { what: 'the other host has its command' })
    }
    await eventually(async () => (await unsent()) === 3, { what: "the other host's commands are marked sent" })
    await stage.direct().deleteQueue(queue)
    const freed = await stage.openHost(stuck)
    await eventually(() => freed.length === 3, { what: 'the freed host has its commands' })
    expect(applied(freed)).toEqual(upTo(3))
  })

  it('loses nothing and keeps the order when the broker is cut off again and again', async () => {
    const servers = await Promise.all([1, 2, 3].map(() => insertServer(stage.db)))
    const heard = await Promise.all(servers.map((serverId) => stage.openHost(serverId)))
    let writing = true
    let written = 0
    const write = async (): Promise<void> => {
      while (writing) {
        await Promise.all(servers.map((serverId) => stage.addStop(serverId, newId())))
        written++
      }
    }
    const writers = write()
    for (let cut = 0; cut < 4; cut++) {
      const all = written
      await eventually(() => written > all + 10, { what: 'more is written' })
      stage.proxies.broker.cut()
      await eventually(() => written > all + 20, { what: 'more is written while the broker is away' })
      stage.proxies.broker.restore()
      const some = heard[0]?.length ?? 0
      await eventually(() => (heard[0]?.length ?? 0) > some, { what: 'commands flow again' })
    }
    writing = false
    await writers
    await eventually(() => heard.every((commands) => commands.at(-1)?.number === written), {
      what: 'all commands',
      limitMs: 30_000,
    })
    for (const commands of heard) expect(applied(commands)).toEqual(upTo(written))
    await eventually(async () => (await unsent()) === 0, { what: 'all are marked sent' })
  })

  it('waits quietly while the broker is away: holds nothing and tries nothing', async () => {
    stage.proxies.broker.cut()
    await eventually(async () => !(await isReady(relays[0])), { what: 'the loss is noticed' })
    const serverId = await insertServer(stage.db)
    await addStops(serverId, 20)
    const failures = relays.map((relay) => relay.counters().relay.failures)
    const held: unknown[] = []
    const until = Date.now() + 2_000
    while (Date.now() < until) {
      const { rows } = await sql`SELECT query FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'manman-processor' AND xact_start < clock_timestamp() - interval '200 milliseconds'`.execute(
        stage.db,
      )
      held.push(...rows)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(held).toEqual([])
    expect(relays.map((relay) => relay.counters().relay.failures)).toEqual(failures)
    stage.proxies.broker.restore()
    const heard = await stage.openHost(serverId)
    await eventually(() => heard.length >= 20, { what: 'the commands arrive' })
    expect(applied(heard)).toEqual(upTo(20))
  })

  it('goes on when the database comes back', async () => {
    stage.proxies.database.cut()
    const serverId = await insertServer(stage.db)
    await addStops(serverId, 3)
    stage.proxies.database.restore()
    const heard = await stage.openHost(serverId)
    await eventually(() => heard.length >= 3, { what: 'the commands arrive' })
    expect(applied(heard)).toEqual(upTo(3))
  })
})

describe('a relay that is lost between the confirm and the mark', () => {
  it('is followed by one that publishes the same command again', async () => {
    const serverId = await insertServer(stage.db)
    const heard = await stage.openHost(serverId)
    await addStops(serverId, 2)
    await eventually(() => heard.length === 2, { what: 'both commands' })
    await eventually(async () => (await unsent()) === 0, { what: 'both are marked' })
    // What the crash leaves: published, and not marked.
    await stage.db.updateTable('outbox.messages').set({ sent_at: null }).where('lane', '=', `host.${serverId}`).execute()
    await addStops(serverId, 1)
    await eventually(() => heard.at(-1)?.number === 3, { what: 'the third command' })
    expect(heard.map((command) => command.number)).toEqual([1, 2, 1, 2, 3])
    expect(heard[2]?.id).toBe(heard[0]?.id)
    expect(applied(heard)).toEqual(upTo(3))
  })
})

describe("a host's queue that somebody has declared otherwise", () => {
  it('holds up that host alone', async () => {
    const [odd, other] = await Promise.all([insertServer(stage.db), insertServer(stage.db)])
    // Durable, yet not as we declare it, and not bound: commands are unroutable, and declaring it fails.
    await stage.direct().assertQueue(queues.hostCommands(odd), { arguments: { 'x-max-length': 7 } })
    await addStops(odd, 1)
    const heard = await stage.openHost(other)
    for (let n = 1; n <= 5; n++) {
      await addStops(other, 1)
      await eventually(() => heard.length === n, { what: 'the other host has its command' })
      expect(await isReady(relays[0])).toBe(true)
    }
    await stage.direct().deleteQueue(queues.hostCommands(odd))
    const freed = await stage.openHost(odd)
    await eventually(() => freed.length === 1, { what: 'the host has its command' })
  })
})
