import { randomUUID } from 'node:crypto'
import { type ChannelModel, type ConfirmChannel, connect, type Options } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeBrokerPassword } from '../../../lib/crypto/broker-password.ts'
import { archivePartitionOf, exchanges, hostUser, keys, queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeBrokerUsers } from '../../../lib/rabbit/management.ts'
import { declareHostQueues, declareTopology, unheardExchange } from '../../../lib/rabbit/topology.ts'
import { createTestBroker, type TestBroker } from '../../support/broker.ts'

/** Everything that a thief of one host's credentials may try, against a broker whose users our own code has made. */
const thief = newId()
const victim = newId()
const session = newId()
const caller = randomUUID()
const ear = 'test.ear'
const others = [exchanges.commands, exchanges.events, unheardExchange]
const builtIn = ['amq.direct', 'amq.fanout', 'amq.headers', 'amq.match', 'amq.topic']

let broker: TestBroker
let control: string
const urls: Record<string, string> = {}

beforeAll(async () => {
  broker = await createTestBroker()
  control = broker.url
  const users = makeBrokerUsers({ url: broker.managementUrl, amqpUrl: broker.url })
  for (const serverId of [thief, victim]) {
    const { password, hash: passwordHash } = makeBrokerPassword()
    const name = hostUser(serverId, 1)
    await users.make({ name, passwordHash, serverId })
    urls[serverId] = Object.assign(new URL(broker.url), { username: name, password }).href
  }
  await as(control, async (channel) => {
    await declareTopology(channel, 'classic')
    await declareHostQueues(channel, thief, 'classic')
    await declareHostQueues(channel, victim, 'classic')
    await channel.assertQueue(ear, { durable: true, arguments: { 'x-max-length': 10 } })
    for (const exchange of [exchanges.reports, ...others, ...builtIn]) await channel.bindQueue(ear, exchange, '#')
    await channel.bindQueue(ear, 'amq.direct', 'any')
  })
})
afterAll(async () => {
  for (const connection of connections.values()) await (await connection).close()
  await broker.drop()
})

type Attempt = (channel: ConfirmChannel) => Promise<unknown>

const connections = new Map<string, Promise<ChannelModel>>()

/** Does it on a channel of its own; rejects with what the broker says. */
const as = async <T>(url: string, attempt: (channel: ConfirmChannel) => Promise<T>): Promise<T> => {
  const connection = connections.get(url) ?? connect(url)
  connections.set(url, connection)
  const channel = await (await connection).createConfirmChannel()
  const refused = new Promise<never>((_, reject) => channel.on('error', reject))
  refused.catch(() => undefined)
  try {
    return await Promise.race([attempt(channel), refused])
  } finally {
    await channel.close().catch(() => undefined) // the broker has, of one that was refused
  }
}

/** Resolves when a queue has it, rejects when none takes it. */
const say =
  (exchange: string, routingKey: string, options: Options.Publish = {}): Attempt =>
  (channel) =>
    new Promise((resolve, reject) => {
      channel.once('return', () => reject(new Error('no queue takes it')))
      const done = (error: Error | null): void => (error ? reject(error) : resolve(undefined))
      channel.publish(exchange, routingKey, Buffer.from('{}'), { mandatory: true, ...options }, done)
    })

const consume =
  (queue: string): Attempt =>
  (channel) =>
    channel.consume(queue, () => undefined, { noAck: false })

const victims = [queues.hostCommands(victim), queues.hostRequests(victim)]
const ours = [queues.deadLetters, queues.statuses, queues.health, queues.hostAsks, queues.logArchive(archivePartitionOf(victim))]

/** What a host says of itself, said of another. */
const keysOf = (serverId: string): string[] => [
  keys.hostStatus(serverId),
  keys.sessionStatus(serverId, session),
  keys.backupStatus(serverId, session),
  keys.restoreStatus(serverId, session),
  keys.hostHealth(serverId),
  keys.deadLetter(serverId),
  keys.hostAsk(serverId, 'backup.parts'),
  keys.hostLog(serverId),
  keys.sessionLog(serverId, session),
  keys.sessionStats(serverId, session),
  keys.reply(serverId, caller),
]

const attempts: [string, Attempt][] = [
  ...[...victims, ...ours, ear].flatMap((queue): [string, Attempt][] => [
    [`consume ${queue}`, consume(queue)],
    [`get from ${queue}`, (channel) => channel.get(queue)],
    [`purge ${queue}`, (channel) => channel.purgeQueue(queue)],
    [`write to ${queue} by the default exchange`, say('', queue)],
  ]),
  [`write to its own queue by the default exchange`, say('', queues.hostCommands(thief))],
  ...keysOf(victim).map((key): [string, Attempt] => [`say ${key}`, say(exchanges.reports, key)]),
  ...keysOf(victim).map((key): [string, Attempt] => [
    `say ${key} with its own key as a copy`,
    say(exchanges.reports, key, { CC: keys.hostStatus(thief) }),
  ]),
  ...[
    `${keys.hostStatus(thief)}\n`,
    `${keys.hostStatus(thief)}\n${keys.hostStatus(victim)}`,
    `${keys.hostStatus(victim)}.${thief}`,
    `x${keys.hostStatus(thief)}`,
    `${keys.reply(thief, caller)}.more`,
    `status.${victim}.${thief}`,
    `request.host.${victim}.request.host.${thief}.x`,
    'status.host',
    '',
  ].map((key): [string, Attempt] => [`say the key ${JSON.stringify(key)}`, say(exchanges.reports, key)]),
  ['command another host', say(exchanges.commands, keys.command(victim, 'session.stop'))],
  ['command itself', say(exchanges.commands, keys.command(thief, 'session.stop'))],
  ['ask another host', say(exchanges.commands, keys.command(victim, 'session.input'))],
  [
    'command with a copy to another',
    say(exchanges.commands, keys.command(thief, 'x'), { BCC: keys.command(victim, 'session.kill') }),
  ],
  ['tell an event', say(exchanges.events, 'server.online')],
  ['tell a change', say(exchanges.events, keys.changedServer(victim))],
  ['tell a caller that nobody heard it', say(unheardExchange, '', { headers: { caller } })],
  ...builtIn.map((exchange): [string, Attempt] => [`write to ${exchange}`, say(exchange, 'any')]),
]

/** Those that others would notice. */
const changes: [string, Attempt][] = [
  ['declare a queue', (channel) => channel.assertQueue(`own.${newId()}`, { autoDelete: true, expires: 1_000 })],
  ['declare a queue without a name', (channel) => channel.assertQueue('', { exclusive: true })],
  ['declare an exchange', (channel) => channel.assertExchange(`own.${newId()}`, 'topic', { autoDelete: true, durable: false })],
  ['listen to reports', bind(exchanges.reports, '#')],
  ['listen to events', bind(exchanges.events, '#')],
  ["listen to another's commands", bind(exchanges.commands, keys.command(victim, '#'))],
  [
    'have commands copied into reports',
    async (channel) => {
      await channel.bindExchange(exchanges.reports, exchanges.commands, 'none')
      await channel.unbindExchange(exchanges.reports, exchanges.commands, 'none')
    },
  ],
  [
    "cut another's queue off",
    async (channel) => {
      await channel.unbindQueue(queues.hostCommands(victim), exchanges.commands, keys.command(victim, 'session.kill'))
      await channel.bindQueue(queues.hostCommands(victim), exchanges.commands, keys.command(victim, 'session.kill'))
    },
  ],
  ...victims.map((queue): [string, Attempt] => [
    `delete ${queue}`,
    async (channel) => {
      await channel.deleteQueue(queue)
      await declareHostQueues(channel, victim, 'classic')
    },
  ]),
  [
    'delete an exchange',
    async (channel) => {
      await channel.deleteExchange(exchanges.events)
      await declareTopology(channel, 'classic')
      await channel.bindQueue(ear, exchanges.events, '#')
    },
  ],
]

/** Binds the thief's own queue, and takes that back. */
function bind(exchange: string, key: string): Attempt {
  return async (channel) => {
    await channel.bindQueue(queues.hostCommands(thief), exchange, key)
    await channel.unbindQueue(queues.hostCommands(thief), exchange, key)
  }
}

describe("with one host's credentials", () => {
  const refused = async (attempt: Attempt): Promise<void> => {
    await as(control, attempt)
    await expect(as(urls[thief]!, attempt)).rejects.toThrow(/ACCESS.REFUSED/)
  }
  it.concurrent.each(attempts)('nobody can %s', (_, attempt) => refused(attempt))
  it.each(changes)('nobody can %s', (_, attempt) => refused(attempt))

  it('a host speaks and hears for itself', async () => {
    await as(urls[thief]!, async (channel) => {
      for (const key of keysOf(thief)) await say(exchanges.reports, key, { userId: hostUser(thief, 1) })(channel)
      for (const queue of [queues.hostCommands(thief), queues.hostRequests(thief)]) await consume(queue)(channel)
    })
  })

  it("nobody can sign as another's user", async () => {
    const signed = (serverId: string) => say(exchanges.reports, keys.hostStatus(serverId), { userId: hostUser(victim, 1) })
    await as(urls[victim]!, signed(victim))
    await expect(as(urls[thief]!, signed(thief))).rejects.toThrow(/PRECONDITION.FAILED/)
  })

  it("nobody can answer into another's direct reply queue", async () => {
    await as(control, async (channel) => {
      await channel.purgeQueue(ear)
      let answered = (): void => undefined
      const answer = new Promise<void>((resolve) => {
        answered = resolve
      })
      await channel.consume('amq.rabbitmq.reply-to', answered, { noAck: true })
      await say('', ear, { replyTo: 'amq.rabbitmq.reply-to' })(channel)
      const asked = await channel.get(ear, { noAck: true })
      const { replyTo } = asked ? asked.properties : { replyTo: '' }
      expect(replyTo).toMatch(/^amq\.rabbitmq\.reply-to\./)
      await expect(as(urls[thief]!, say('', replyTo, { mandatory: false }))).rejects.toThrow(/ACCESS.REFUSED/)
      await as(control, say('', replyTo, { mandatory: false }))
      await answer
    })
  })

  it('nobody gets into other vhosts, or the management API', async () => {
    const elsewhere = (url: string): string => Object.assign(new URL(url), { pathname: '/' }).href
    await (await connect(elsewhere(control))).close()
    await expect(connect(elsewhere(urls[thief]!))).rejects.toThrow(/ConnectionClose/)
    const login = (url: string) => {
      const { username, password } = new URL(url)
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
      return fetch(new URL('/api/users', new URL(broker.managementUrl).origin), { headers: { authorization } })
    }
    expect((await login(control)).status).toBe(200)
    expect((await login(urls[thief]!)).status).toBe(401)
  })

  it('connections are limited, and a second one gets no queue that the first has alone', async () => {
    // One after the other: of those that come at once the broker lets some more in.
    const open = async (url: string): Promise<number> => {
      const opened: ChannelModel[] = []
      try {
        while (opened.length < 10) opened.push(await connect(url))
      } catch {
        // this is how many there may be
      }
      await Promise.all(opened.map((connection) => connection.close()))
      return opened.length
    }
    expect(await open(control)).toBe(10)
    expect(await open(urls[victim]!)).toBeLessThanOrEqual(8)
    const alone: Attempt = (channel) => channel.consume(queues.hostCommands(thief), () => undefined, { exclusive: true })
    await as(urls[thief]!, async (channel) => {
      await alone(channel)
      await expect(as(urls[thief]!, alone)).rejects.toThrow(/exclusive/)
    })
  })
})
