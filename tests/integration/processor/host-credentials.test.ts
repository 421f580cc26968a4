import { generateKeyPairSync } from 'node:crypto'
import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { amqpUrlFor, type KeptCredentials, makeBrokerAccess } from '../../../host/broker-access.ts'
import { makeSecretBox } from '../../../lib/crypto/secret-box.ts'
import { Unavailable } from '../../../lib/domain/errors.ts'
import { fullAccess } from '../../../lib/domain/permissions.ts'
import { commandSchema } from '../../../lib/messages/commands.ts'
import { messageVersion, readMessage, writeMessage } from '../../../lib/messages/envelope.ts'
import { exchanges, hostUser, keys, queues } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeRabbit } from '../../../lib/rabbit/connect.ts'
import { makeConsumer } from '../../../lib/rabbit/consumer.ts'
import { makeTopology } from '../../../lib/rabbit/kept-topology.ts'
import { type BrokerUsers, makeBrokerUsers } from '../../../lib/rabbit/management.ts'
import { makePublisher } from '../../../lib/rabbit/publisher.ts'
import { makeRequester } from '../../../lib/rabbit/requester.ts'
import { makeProcessor, type Processor } from '../../../processor/app.ts'
import { defaultTimings } from '../../../processor/timings.ts'
import { accessConditions } from '../../../subgraphs/servers/conditions.ts'
import { makeServersService, type ServersService } from '../../../subgraphs/servers/service.ts'
import { eventually } from '../../support/eventually.ts'
import { logger, openStage, type Stage } from '../subgraphs/stage.ts'

let stage: Stage
let real: BrokerUsers
/** What the broker's management API does next; it can be away. */
let away = false
let processor: Processor
let service: ServersService
let topology: ReturnType<typeof makeTopology>
const closing: (() => Promise<unknown>)[] = []

const users: BrokerUsers = {
  make: (user) => (away ? Promise.reject(new Unavailable('cut')) : real.make(user)),
  remove: (name) => (away ? Promise.reject(new Unavailable('cut')) : real.remove(name)),
  names: () => (away ? Promise.reject(new Unavailable('cut')) : real.names()),
}

const startProcessor = (): Processor =>
  makeProcessor({
    db: stage.db,
    databaseUrl: stage.databaseUrl,
    rabbit: stage.rabbit,
    store: stage.store,
    brokerUsers: users,
    logRetentionDays: 30,
    secrets: makeSecretBox(['k'.repeat(32)]),
    startDeadlineMs: 600_000,
    timings: { ...defaultTimings, brokerUsersEveryMs: 50, brokerCompareEveryMs: 100 },
    queueType: 'classic',
    logger,
  })

beforeAll(async () => {
  stage = await openStage()
  real = makeBrokerUsers({ url: stage.broker.managementUrl, amqpUrl: stage.broker.url })
  topology = makeTopology({ rabbit: stage.rabbit, queueType: 'classic' })
  service = makeServersService({
    db: stage.db,
    newId,
    defaultEnvironment: 'default',
    declareHostQueues: topology.declareHost,
    hostAccess: { amqpUrl: stage.broker.url, username: 'shared', password: 'shared' },
    brokerUsers: users,
  })
  processor = startProcessor()
  await eventually(() => topology.works() === true, { what: 'the topology is declared' })
})
afterAll(async () => {
  for (const close of closing.reverse()) await close()
  await processor.close()
  await topology.close()
  await stage.close()
})

const pairOf = () =>
  generateKeyPairSync('x25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })

/** A server with a host that has enrolled: as far as its credentials go, with the code of the real one. */
const enrolled = async (token?: string) => {
  const given = token ?? (await service.register({ name: newId() }, 'test')).enrollmentToken
  const { publicKey, privateKey } = pairOf()
  const { serverId, username, password } = await service.enroll({ token: given, publicKey, machineId: 'm' }, 'host')
  let disk: KeptCredentials = { current: { username, password } }
  const write = async (kept: KeptCredentials): Promise<void> => {
    disk = kept
  }
  return {
    serverId,
    username,
    disk: () => disk,
    write,
    /** An agent's connection, on what stands on disk; `beat` says that it lives, with whatever it has by then. */
    start: async (options: { save?: (kept: KeptCredentials) => Promise<void> } = {}) => {
      const save = options.save ?? write
      const backOff = { minMs: 20, maxMs: 50 }
      const access = makeBrokerAccess({ serverId, amqpUrl: stage.broker.url, privateKey, kept: disk, save, logger, backOff })
      const rabbit = await makeRabbit({ url: stage.broker.url, credentials: access.credentials, name: 'host', logger })
      access.start(rabbit.renew)
      const publisher = makePublisher({ rabbit, name: 'reports' })
      const commands = makeConsumer({
        rabbit,
        name: 'commands',
        logger,
        queue: queues.hostCommands(serverId),
        prefetch: 1,
        inOrder: true,
        exclusive: true,
        handle: async ({ content }) => {
          const command = readMessage(commandSchema, content)
          if (command.kind === 'credentials.renew') await access.renew(command.sealed)
        },
      })
      const say = (routingKey: string, body: object) =>
        publisher.publish({
          exchange: exchanges.reports,
          routingKey,
          content: writeMessage({ version: messageVersion, id: newId(), at: new Date().toISOString(), ...body }),
          messageId: newId(),
          persistent: false,
          mandatory: true,
        })
      const close = async () => {
        await Promise.all([commands.close(), publisher.close(), access.close()])
        await rabbit.close()
      }
      closing.push(close)
      return {
        rabbit,
        say,
        close,
        user: () => access.credentials().username,
        beat: () => say(keys.hostHealth(serverId), aBeat),
        beats: () =>
          say(keys.hostHealth(serverId), aBeat).then(
            () => true,
            () => false,
          ),
      }
    },
  }
}
const aBeat = { kind: 'health.host', epoch: 1, agentVersion: '2', appliedCommand: 0, capacity: null, conditions: [] }

const canLogIn = (kept: KeptCredentials['current']): Promise<boolean> =>
  connect(amqpUrlFor(stage.broker.url, kept)).then(
    (connection) => connection.close().then(() => true),
    () => false,
  )
const kinds = async (serverId: string) => accessConditions(await service.find(serverId, fullAccess)).map(({ kind }) => kind)
const statesOf = async (serverId: string) => {
  const rows = await stage.db
    .selectFrom('servers.broker_users')
    .select(['generation', 'state'])
    .where('server_id', '=', serverId)
    .orderBy('generation')
    .execute()
  return rows.map(({ generation, state }) => `${generation} ${state}`)
}
const settles = (serverId: string, states: string[]) =>
  eventually(async () => (await statesOf(serverId)).join() === states.join(), { what: `users are ${states.join()}`, everyMs: 20 })
const beatsUntil = (host: { beats: () => Promise<boolean> }, serverId: string, states: string[]) =>
  eventually(async () => (await host.beats()) && (await statesOf(serverId)).join() === states.join(), {
    what: `the host is heard, and users are ${states.join()}`,
    everyMs: 50,
  })

describe('enrolment', () => {
  it('gives each host a user of its own, and nothing to who comes second or while the broker can not be told', async () => {
    const host = await enrolled()
    expect(host.username).toBe(hostUser(host.serverId, 1))
    expect(await statesOf(host.serverId)).toEqual(['1 CURRENT'])
    expect(await kinds(host.serverId)).toEqual([])
    const { enrollmentToken, server } = await service.register({ name: newId() }, 'test')
    away = true
    await expect(enrolled(enrollmentToken)).rejects.toThrow(Unavailable)
    away = false
    const both = await Promise.allSettled([enrolled(enrollmentToken), enrolled(enrollmentToken)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await eventually(async () => (await statesOf(server.id)).length === 1, { what: 'what nobody got is gone' })
  })

  it('is for the server that the host is already', async () => {
    const { enrollmentToken } = await service.register({ name: newId() }, 'test')
    const input = { token: enrollmentToken, publicKey: pairOf().publicKey, machineId: 'm' }
    await expect(service.enroll({ ...input, serverId: newId() }, 'host')).rejects.toThrow('for another server')
    expect(await service.enroll(input, 'host')).toMatchObject({ password: expect.any(String) })
  })
})

describe('rotation', () => {
  it('moves a host that runs to a new user, and the one before is gone', async () => {
    const host = await enrolled()
    const agent = await host.start()
    const before = host.disk().current
    await eventually(agent.beats, { what: 'the host speaks' })
    await service.rotate(host.serverId, 'test')
    await service.rotate(host.serverId, 'test') // under way already
    await beatsUntil(agent, host.serverId, ['2 CURRENT'])
    expect(agent.user()).toBe(hostUser(host.serverId, 2))
    expect(await canLogIn(before)).toBe(false)
    expect(await canLogIn(host.disk().current)).toBe(true)
    expect(await kinds(host.serverId)).toEqual([])
  })

  it('goes on where it was interrupted: nothing made, offered, on disk, proven, taken', async () => {
    const host = await enrolled()
    // The processor ends before the broker is told.
    away = true
    await service.rotate(host.serverId, 'test')
    await processor.close()
    expect(await statesOf(host.serverId)).toEqual(['1 CURRENT', '2 OFFERED'])
    expect(await kinds(host.serverId)).toEqual(['CREDENTIALS_OFFERED'])
    away = false
    processor = startProcessor()

    // The host ends before it has written anything: the command comes again.
    const failing = await host.start({ save: () => Promise.reject(new Unavailable('killed')) })
    await eventually(failing.beats, { what: 'it speaks with what it had' })
    await failing.close()
    expect(host.disk().next).toBeUndefined()

    // It ends when the offer is on disk and was not tried, and again when it was: either way it can connect.
    const cut = await host.start({
      save: async (kept) => {
        if (kept.next) await host.write(kept)
        else throw new Unavailable('killed')
      },
    })
    await eventually(() => host.disk().next, { what: 'the offer is on disk' })
    await cut.close()
    expect(host.disk().current.username).toBe(hostUser(host.serverId, 1))
    expect(await canLogIn(host.disk().current)).toBe(true)

    const whole = await host.start()
    await beatsUntil(whole, host.serverId, ['2 CURRENT'])
    expect(host.disk()).toEqual({ current: expect.objectContaining({ username: hostUser(host.serverId, 2) }) })

    // It ends after the control plane has heard the new one and before that is on disk: the old one is dead, the next one lives.
    const now = host.disk().current
    await whole.close()
    await host.write({ current: { username: hostUser(host.serverId, 1), password: 'dead' }, next: now })
    const last = await host.start()
    await eventually(async () => last.user() === now.username && (await last.beats()), { what: 'it finds the one that lives' })
  })

  it('a broker that has lost the users is given them again', async () => {
    const host = await enrolled()
    await real.remove(host.username)
    await eventually(() => canLogIn(host.disk().current), { what: 'the user is there again' })
  })

  it('a host that shared a user is given its own as soon as it says who it is', async () => {
    const host = await enrolled()
    await stage.db.deleteFrom('servers.broker_users').where('server_id', '=', host.serverId).execute()
    await stage.db.updateTable('servers.servers').set({ broker_access: 'SHARED' }).where('id', '=', host.serverId).execute()
    const { username, password } = new URL(stage.broker.url)
    await host.write({ current: { username, password } })
    const agent = await host.start()
    expect(await kinds(host.serverId)).toContain('BROKER_SHARED')
    await beatsUntil(agent, host.serverId, ['2 CURRENT'])
    expect(await kinds(host.serverId)).toEqual([])
  })
})

describe('revocation', () => {
  it('closes connections and takes the user away, later where the broker can not be told; a token lets it join again', async () => {
    const host = await enrolled()
    const agent = await host.start()
    await eventually(agent.beats, { what: 'the host speaks' })
    away = true
    await service.revoke(host.serverId, 'test')
    await service.revoke(host.serverId, 'test') // already so
    expect(await kinds(host.serverId)).toEqual(['ACCESS_REVOKED', 'REVOCATION_PENDING'])
    expect(agent.rabbit.ready()).toBe(true)
    await expect(service.rotate(host.serverId, 'test')).rejects.toThrow('createEnrollmentToken')
    away = false
    await eventually(() => agent.rabbit.ready() !== true, { what: 'its connections are closed' })
    await settles(host.serverId, [])
    expect(await canLogIn(host.disk().current)).toBe(false)
    expect(await kinds(host.serverId)).toEqual(['ACCESS_REVOKED'])

    const first = await service.createEnrollmentToken(host.serverId, 'test')
    const { enrollmentToken } = await service.createEnrollmentToken(host.serverId, 'test')
    await expect(enrolled(first.enrollmentToken)).rejects.toThrow('expired')
    const again = await enrolled(enrollmentToken)
    expect(again.serverId).toBe(host.serverId)
    const back = await again.start()
    await eventually(back.beats, { what: 'it speaks again' })
    expect(await kinds(host.serverId)).toEqual([])
  })

  it('of a deleted server waits until its host has heard that it is to leave', async () => {
    const host = await enrolled()
    await service.remove(host.serverId, false, 'test')
    const sent = async () => (await topology.unread(queues.hostCommands(host.serverId))) > 0
    await eventually(sent, { what: 'it is told to leave' })
    expect(await statesOf(host.serverId)).toEqual(['1 REVOKED'])
    await host.start()
    await settles(host.serverId, [])
    expect(await canLogIn(host.disk().current)).toBe(false)
  })
})

describe('in the name of another host', () => {
  it('nothing is believed, also by a broker that lets it through: it is a dead letter, and counted', async () => {
    const host = await enrolled()
    const publisher = makePublisher({ rabbit: stage.rabbit, name: 'liar' })
    closing.push(publisher.close)
    await eventually(publisher.connected, { what: 'connected' })
    const lie = (routingKey: string) =>
      publisher.publish({
        exchange: exchanges.reports,
        routingKey,
        content: writeMessage({ version: messageVersion, id: newId(), at: new Date().toISOString(), ...aBeat }),
        messageId: newId(),
        persistent: true,
        mandatory: true,
      })
    const { serverId } = host
    const lies = [
      keys.hostHealth(serverId),
      keys.hostStatus(serverId),
      keys.hostAsk(serverId, 'backup.parts'),
      keys.hostLog(serverId),
      keys.deadLetter(serverId),
    ]
    for (const key of lies) await lie(key)
    const lettersOf = () =>
      stage.db
        .selectFrom('dead_letters.letters')
        .select(['routing_key', 'reason', 'queue'])
        .where('routing_key', 'in', lies)
        .execute()
    await eventually(async () => (await lettersOf()).length === lies.length, { what: 'all are dead letters' })
    for (const { reason } of await lettersOf()) expect(reason).toContain('Not said by the host that it names')
    expect((await lettersOf()).find(({ routing_key }) => routing_key === keys.deadLetter(serverId))?.queue).toBe('')
    const { heartbeats, statuses } = stage.rabbit.traffic.counts().consumed
    expect([heartbeats?.notBelieved, statuses?.notBelieved]).toEqual([1, 1])
    expect((await service.find(serverId, fullAccess)).lastSeenAt).toBeNull()
  })

  it("a copy by CC reaches a caller and a dead letter's queue, and is believed for its own host alone", async () => {
    const [asked, thief] = [await enrolled(), await enrolled()]
    const answering = await makeRabbit({ url: amqpUrlFor(stage.broker.url, asked.disk().current), name: 'asked', logger })
    const stealing = await makeRabbit({ url: amqpUrlFor(stage.broker.url, thief.disk().current), name: 'thief', logger })
    const requester = makeRequester({ rabbit: stage.rabbit, logger })
    const [honest, liar] = [makePublisher({ rabbit: answering, name: 'a' }), makePublisher({ rabbit: stealing, name: 't' })]
    closing.push(answering.close, stealing.close, requester.close, honest.close, liar.close)
    await eventually(() => honest.connected() && liar.connected(), { what: 'both are connected' })
    const content = writeMessage({
      ...{ version: messageVersion, id: newId(), at: new Date().toISOString(), kind: 'reply', ok: true },
      result: { writtenAt: new Date().toISOString() },
    })
    const reply = { exchange: exchanges.reports, content, persistent: false, mandatory: true }
    let told = 0
    const requests = makeConsumer({
      rabbit: answering,
      name: 'requests',
      logger,
      queue: queues.hostRequests(asked.serverId),
      prefetch: 1,
      noAck: true,
      handle: async ({ replyTo, correlationId }) => {
        const caller = replyTo!.split('.')[3]!
        // The thief knows even the request's id: it is the answer that counts, and not the first one.
        for (const key of [keys.hostStatus(thief.serverId), keys.reply(thief.serverId, caller)]) {
          const headers = { CC: [replyTo!] }
          await liar.publish({ ...reply, routingKey: key, messageId: newId(), correlationId: correlationId!, headers })
          told++
        }
        const wrong = () => stage.rabbit.traffic.counts().consumed.replies!.notBelieved
        await eventually(() => wrong() >= 2, { what: 'the lies have come' })
        await honest.publish({ ...reply, routingKey: replyTo!, messageId: newId(), correlationId: correlationId! })
      },
    })
    closing.push(requests.close)
    await eventually(requests.consuming, { what: 'the asked host listens' })
    const input = { kind: 'session.input', sessionId: newId(), actor: 'a', input: 'x', idempotencyKey: null } as const
    await eventually(() => requester.request(asked.serverId, input, 10_000).catch(() => false), { what: 'an answer' })
    expect(told).toBeGreaterThanOrEqual(2)

    const letter = { ...reply, routingKey: keys.hostStatus(thief.serverId), messageId: newId() }
    const headers = { CC: ['deadletter.x'], 'x-manman-queue': queues.hostCommands(asked.serverId) }
    await liar.publish({ ...letter, headers })
    const row = () =>
      stage.db.selectFrom('dead_letters.letters').select(['queue']).where('message_id', '=', letter.messageId).execute()
    const rows = await eventually(async () => ((await row()).length > 0 ? row() : false), { what: 'the letter is kept' })
    for (const { queue } of rows) expect(queue).not.toBe(queues.hostCommands(asked.serverId))
  })
})
