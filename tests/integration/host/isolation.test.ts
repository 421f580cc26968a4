import { randomUUID } from 'node:crypto'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bridgePrefix } from '../../../host/docker/bridges.ts'
import { parseTargets } from '../../../host/isolation/targets.ts'
import { type IsolationSettings, keepIsolation } from '../../../host/isolation.ts'
import type { PortBinding } from '../../../lib/messages/session-spec.ts'
import { eventually } from '../../support/eventually.ts'
import { run } from '../../support/images/docker-cli.ts'
import { buildFakeGame } from '../../support/images/fake-game.ts'
import { openLanMachine } from '../../support/lan-machine.ts'
import { freePort } from './docker/ports.ts'
import { type Game, logger, openSandbox, type Sandbox } from './docker/sandbox.ts'

const metadata = '169.254.169.254'
const lanPorts = { 80: 'metadata', 53: 'names', 4001: 'a service', 5432: 'a database', 5672: 'the broker' }
const networkName = `manman-unprotected-${process.pid}`

let box: Sandbox
let lan: Awaited<ReturnType<typeof openLanMachine>>
let machine: net.Server
let published: number
let allowed: net.Server
let game: Game
let neighbour: Game
let isolation: ReturnType<typeof keepIsolation>
/** A container like any other, which nobody protects the machine from. */
let unprotected: string
/** One in the neighbour's own network. */
let inside: string

const anyContainer = async (network: string): Promise<string> =>
  (await run('docker', ['run', '--detach', '--network', network, await buildFakeGame(), 'sleep', '100000'])).trim()

const serve = async (word: string): Promise<net.Server> => {
  const server = net.createServer((socket) => socket.on('error', () => undefined).end(`${word}\n`))
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  return server
}
const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port

const keep = (settings: Partial<IsolationSettings> = {}, serverId = box.serverId) =>
  keepIsolation({
    isolation: { on: true, allow: [], deny: [], ...settings },
    serverId,
    amqpUrl: `amqp://host:secret@${lan.address}`,
    docker: box.docker,
    everyMs: 200,
    logger,
  })

const serving = ['/bin/sh', '-c', 'while :; do echo a neighbour | nc -l -p 4000; done & exec /bin/game']

beforeAll(async () => {
  ;[box, lan, machine, allowed] = await Promise.all([
    openSandbox(),
    openLanMachine(lanPorts, metadata),
    serve('the machine'),
    serve('allowed'),
  ])
  published = await freePort()
  const everywhere: PortBinding = {
    name: 'game',
    containerPort: 4000,
    hostPort: published,
    protocol: 'TCP',
    bindAddress: '0.0.0.0',
  }
  ;[game, neighbour] = await Promise.all([box.game(), box.game({ ports: [everywhere], command: serving })])
  await run('docker', ['network', 'create', networkName])
  ;[unprotected, inside] = await Promise.all([anyContainer(networkName), anyContainer(await networkOf(neighbour))])
  isolation = keep({
    allow: parseTargets(`${lan.gateway}:${portOf(allowed)}`).targets,
    deny: parseTargets(`${lan.address}/32:5432`).targets,
  })
  await isolation.settled()
})
afterAll(async () => {
  await run('docker', ['rm', '--force', '--volumes', unprotected, inside])
  await run('docker', ['network', 'rm', networkName])
  await box.close()
  await isolation.close({ isEmpty: true })
  machine.close()
  allowed.close()
  await lan.close()
  expect(await rules()).toEqual([])
})

const inspect = (id: string) => box.raw.getContainer(id).inspect()
const networkOf = async ({ id }: Game): Promise<string> => (await inspect(id)).HostConfig.NetworkMode!
const endpointOf = async ({ id }: Game) => Object.values((await inspect(id)).NetworkSettings.Networks)[0]!
const gatewayOf = async (id: string): Promise<string> => {
  const { NetworkSettings } = await inspect(id)
  return Object.values(NetworkSettings.Networks)[0]!.Gateway
}

/** What a container hears at an address; empty when nobody answers. */
const hears = async (id: string, address: string, port: number): Promise<string> =>
  (await run('docker', ['exec', id, 'sh', '-c', `nc -w 2 ${address} ${port} </dev/null 2>/dev/null || :`])).trim()

/** Between two visitors the fake game's server is away for a moment. */
const untilHears = (id: string, address: string, port: number, word: string) =>
  eventually(async () => (await hears(id, address, port)) === word, { what: `${address}:${port} says ${word}` })

/** Of this agent, as they stand in the table. */
const rules = async (): Promise<string[]> => {
  const saved = await run('iptables-save', ['-t', 'filter'])
  const key = bridgePrefix(box.serverId).slice(2)
  return saved.split('\n').filter((line) => line.includes(`MANMAN-${key}`))
}

const iptables = (...words: string[]) => run('iptables', ['--wait', '5', ...words])

describe('a game can not reach, and a container that is not protected can', () => {
  const probes: Record<
    string,
    () => Promise<{ word: string; port: number; of: (id: string) => Promise<string> | string; by?: string }>
  > = {
    'the machine, at the gateway of its own network': async () => ({
      word: 'the machine',
      port: portOf(machine),
      of: gatewayOf,
    }),
    'the machine, at an address in the LAN': async () => ({
      word: 'the machine',
      port: portOf(machine),
      of: () => lan.gateway,
    }),
    'the port of another deployment, at an address of the machine': async () => ({
      word: 'a neighbour',
      port: published,
      of: () => lan.gateway,
    }),
    "another session's container, at its own address": async () => {
      const { IPAddress } = await endpointOf(neighbour)
      return { word: 'a neighbour', port: 4000, of: () => IPAddress, by: inside }
    },
    "the gateway of another session's network": async () => {
      const { Gateway } = await endpointOf(neighbour)
      return { word: 'the machine', port: portOf(machine), of: () => Gateway }
    },
    'what the cloud tells of the machine': async () => ({ word: 'metadata', port: 80, of: () => metadata }),
    'the broker, wherever it is': async () => ({ word: 'the broker', port: 5672, of: () => lan.address }),
    'what the operator denies': async () => ({ word: 'a database', port: 5432, of: () => lan.address }),
  }

  it.each(Object.entries(probes))('%s', async (_, probe) => {
    const { word, port, of, by = unprotected } = await probe()
    await untilHears(by, await of(by), port, word)
    expect(await hears(game.id, await of(game.id), port)).toBe('')
  })

  it('anything by IPv6', async () => {
    const interfaces = 'cat /proc/net/if_inet6'
    expect(await run('docker', ['run', '--rm', '--network', 'host', await buildFakeGame(), 'sh', '-c', interfaces])).not.toBe('')
    expect((await run('docker', ['exec', game.id, 'sh', '-c', `${interfaces} | grep -v " lo$" || :`])).trim()).toBe('')
  })
})

describe('a game still reaches', () => {
  it('other machines, names, and what the operator allows', async () => {
    expect(await hears(game.id, lan.address, 4001)).toBe('a service')
    expect(await hears(game.id, metadata, 53)).toBe('names')
    expect(await hears(game.id, lan.gateway, portOf(allowed))).toBe('allowed')
  })

  it('its players, who come by its port', async () => {
    const answer = eventually(
      () =>
        new Promise<string | null>((resolve) => {
          const socket = net.connect(published, lan.gateway)
          socket.once('data', (data) => resolve(data.toString()))
          for (const event of ['error', 'close']) socket.once(event, () => resolve(null))
        }),
      { what: 'an answer on the published port' },
    )
    expect(await answer).toBe('a neighbour\n')
  })

  it('what it is linked to', async () => {
    const labels = {
      sessionId: game.sessionId,
      sgcId: game.sgcId,
      serverId: box.serverId,
      environment: 'test',
      createdAt: new Date().toISOString(),
    }
    await box.docker.networks.ensureLinks(labels, [{ alias: 'lobby', serverGameConfigId: neighbour.sgcId }])
    await box.docker.links.look()
    await untilHears(game.id, 'lobby', 4000, 'a neighbour')
    const gateways = Object.values((await inspect(game.id)).NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)
    expect(gateways).toHaveLength(2)
  })
})

describe('the rules', () => {
  const isOpen = async () => (await hears(game.id, lan.gateway, portOf(machine))) === 'the machine'
  const standsFirst = async () => (await iptables('-S', 'INPUT', '1')).includes(bridgePrefix(box.serverId))
  const ownBridges = () => ['-i', `${bridgePrefix(box.serverId)}+`]
  const chain = () => `MANMAN-${bridgePrefix(box.serverId).slice(2)}-IN`

  it.each([
    ['emptied', () => iptables('-F', chain()), async () => ''],
    ['no longer asked', () => iptables('-D', 'INPUT', ...ownBridges(), '-j', chain()), async () => ''],
    [
      'preceded by others',
      () => iptables('-I', 'INPUT', ...ownBridges(), '-j', 'ACCEPT'),
      () => iptables('-D', 'INPUT', ...ownBridges(), '-j', 'ACCEPT'),
    ],
  ])('are back soon when they were %s', async (_, harm, undo) => {
    const whole = await rules()
    await harm()
    try {
      await eventually(async () => !(await isOpen()), { what: 'the machine is closed again' })
      expect((await rules()).sort()).toEqual(whole.sort())
    } finally {
      await undo()
    }
  })

  it('of two agents do not push each other aside', async () => {
    const other = keep({}, randomUUID())
    await other.settled()
    const both = async () => {
      const saved = await run('iptables-save', ['-t', 'filter'])
      return saved.split('\n').filter((line) => /^-A (INPUT|DOCKER-USER) .*MANMAN/.test(line))
    }
    const order = await both()
    for (let looks = 0; looks < 3; looks++) {
      for (const one of [isolation, other]) {
        one.look()
        await one.settled()
      }
    }
    expect(await both()).toEqual(order)
    expect(await standsFirst()).toBe(false)
    expect(await isOpen()).toBe(false)
    await other.close({ isEmpty: true })
    expect(await both()).toHaveLength(order.length - 2)
  })

  it('stay while games do, and go with the last: only they kept it from the machine', async () => {
    const another = keep()
    await another.settled()
    await another.close({ isEmpty: false })
    expect(await isOpen()).toBe(false)
    await isolation.close({ isEmpty: true })
    expect(await rules()).toEqual([])
    expect(await isOpen()).toBe(true)
    isolation = keep()
    await isolation.settled()
    expect(await isOpen()).toBe(false)
    expect(isolation.conditions()).toEqual([])
  })
})

describe('where it is not so, the Server says so', () => {
  it('as the operator wants it, and then the rules go', async () => {
    const open = keep({ on: false })
    await open.settled()
    expect(open.conditions()).toEqual([{ kind: 'ISOLATION_OFF', message: expect.stringContaining('MANMAN_ISOLATION=off') }])
    await open.close({ isEmpty: true })
  })

  it('with the reason and what to do', async () => {
    const fails = { machineHelper: async () => async () => 'outcome {"fault":"there is no iptables-save."}\r\n' }
    const faulty = keepIsolation({
      isolation: { on: true, allow: [], deny: [] },
      serverId: randomUUID(),
      amqpUrl: 'amqp://127.0.0.1',
      docker: fails,
      logger,
    })
    await faulty.settled()
    expect(faulty.conditions()).toEqual([
      { kind: 'ISOLATION_OFF', message: expect.stringMatching(/there is no iptables-save\..*needs iptables/) },
    ])
    await faulty.close({ isEmpty: true })
  })
})
