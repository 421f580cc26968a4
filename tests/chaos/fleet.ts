import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isPortFree, pickPorts } from '../../cli/services/state-file.ts'
import { openMigrator } from '../../lib/db/migrate.ts'
import { readMigrations } from '../../lib/db/migrations.ts'
import { eventually } from '../support/eventually.ts'
import { type GraphqlClient, makeGraphqlClient } from '../support/graphql-client.ts'
import { removeLeftovers } from '../support/leftovers.ts'
import { ok } from '../support/ok.ts'
import { registerServer, serverById } from '../support/operations.ts'
import { planControlPlane } from '../support/stack-parts.ts'
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { migrationsDir } from '../support/template.ts'
import { makeProgram, type Program } from './program.ts'
import { type ChaosService, startServices } from './services.ts'

/** A machine of the fleet: an agent with an identity, a data directory and a network of its own, on the one Docker engine. */
export interface FleetHost {
  serverId: string
  dataDir: string
  agent: Program
  /** Its way to the broker. */
  network: TcpProxy
  /** First of the host ports it may hand out. */
  firstPort: number
}

export interface Fleet {
  /** For its logs and what a run leaves behind. */
  dir: string
  environment: string
  /** Of the gateway, without a path. */
  address: string
  client: GraphqlClient
  databaseUrl: string
  amqpUrl: string
  postgres: ChaosService
  rabbit: ChaosService
  gateway: Program
  processor: Program
  subgraphs: Program[]
  hosts: FleetHost[]
  /** Ends every fault that may still be going on, and waits until all of it is there. */
  heal(limitMs: number): Promise<void>
  unaskedEnds(): string[]
  /** Ends everything in order, and removes what is left. */
  close(): Promise<void>
}

export interface FleetOptions {
  dir: string
  hosts: number
  /** Further environment of the agents, by their place: for runs that must fail. */
  agentEnv?: readonly Record<string, string>[]
  /** By default a start that its host has lost with its state is given up before the run is over. */
  startDeadlineSeconds?: number
}

const portsPerHost = 40
const startDeadlineSeconds = 60
const onlineLimitMs = 90_000

/** Starts all of it, each deployable in a process of its own, and waits until every machine is ONLINE. */
export const startFleet = async (options: FleetOptions): Promise<Fleet> => {
  const { dir } = options
  mkdirSync(dir, { recursive: true })
  const ending: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    const failures: unknown[] = []
    for (const end of ending.splice(0).reverse()) await end().catch((error) => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, failures.map((error) => (error as Error).message).join('\n'))
  }
  try {
    const { postgres, rabbit } = await startServices(dir)
    ending.push(() => Promise.all([postgres.stop(), rabbit.stop()]))
    const migrator = await openMigrator({ url: postgres.url, migrations: readMigrations(migrationsDir) })
    await migrator.up().finally(() => migrator.close())

    const environment = `chaos-${randomBytes(4).toString('hex')}`
    // What is left by then has been judged already.
    ending.push(() => removeLeftovers(environment).catch(() => undefined))
    const plane = await startControlPlane({ ...options, environment, databaseUrl: postgres.url, amqpUrl: rabbit.url })
    ending.push(() => Promise.all(plane.programs.map((program) => program.stop())))
    ending.push(plane.client.close)

    const firstPort = await findPorts(options.hosts * portsPerHost)
    const hosts: FleetHost[] = []
    for (let index = 0; index < options.hosts; index++) {
      const host = await startHost({ ...options, ...plane, environment, amqpUrl: rabbit.url, index, firstPort })
      ending.push(() => host.agent.stop().finally(host.network.close))
      hosts.push(host)
    }
    const programs = [...plane.programs, ...hosts.map(({ agent }) => agent)]
    const named = (name: string): Program => programs.find((program) => program.name === name)!
    const fleet: Fleet = {
      dir,
      environment,
      address: plane.address,
      client: plane.client,
      databaseUrl: postgres.url,
      amqpUrl: rabbit.url,
      postgres,
      rabbit,
      gateway: named('gateway'),
      processor: named('processor'),
      subgraphs: plane.programs.filter(({ name }) => name !== 'gateway' && name !== 'processor'),
      hosts,
      heal: async (limitMs) => {
        for (const { network } of hosts) network.restore()
        for (const program of programs) {
          program.resume()
          program.start()
        }
        await untilReady(programs, limitMs)
        await Promise.all(hosts.map(({ serverId }) => untilOnline(plane.client, serverId, limitMs)))
      },
      unaskedEnds: () => programs.flatMap((program) => program.unaskedEnds()),
      close,
    }
    await fleet.heal(onlineLimitMs)
    return fleet
  } catch (error) {
    await close().catch(() => undefined) // what failed first is what counts
    throw error
  }
}

const startControlPlane = async (given: FleetOptions & { environment: string; databaseUrl: string; amqpUrl: string }) => {
  const adminToken = randomBytes(24).toString('base64url')
  const { programs, address } = await planControlPlane('many', {
    ...given,
    adminToken,
    internalKey: randomBytes(32).toString('base64url'),
    objectsDir: join(given.dir, 'objects'),
  })
  const deadline = { MANMAN_START_DEADLINE_SECONDS: String(given.startDeadlineSeconds ?? startDeadlineSeconds) }
  const running = programs.map((program) => makeProgram({ ...program, env: { ...program.env, ...deadline }, dir: given.dir }))
  for (const program of running) program.start()
  await untilReady(running, onlineLimitMs)
  const client = makeGraphqlClient({ url: `${address}/graphql`, token: adminToken })
  return { programs: running, address, client }
}

const untilReady = (programs: readonly Program[], limitMs: number): Promise<unknown> =>
  Promise.all(programs.map(({ name, isReady }) => eventually(isReady, { what: `${name} is ready`, limitMs, everyMs: 200 })))

const startHost = async (options: {
  dir: string
  environment: string
  address: string
  client: GraphqlClient
  amqpUrl: string
  index: number
  firstPort: number
  agentEnv?: FleetOptions['agentEnv']
}): Promise<FleetHost> => {
  const name = `host-${options.index}`
  const firstPort = options.firstPort + options.index * portsPerHost
  const { server, enrollmentToken } = await register(options, name, firstPort)
  const network = await openTcpProxy(options.amqpUrl)
  const [healthPort] = await pickPorts(1)
  const dataDir = join(options.dir, name)
  const agent = makeProgram({
    name,
    words: ['host'],
    env: {
      MANMAN_DATA_DIR: dataDir,
      MANMAN_ENV: options.environment,
      MANMAN_JOIN_URL: options.address,
      MANMAN_JOIN_TOKEN: enrollmentToken,
      AMQP_URL: network.url,
      HEALTH_PORT: String(healthPort),
      MANMAN_NETWORK_POOL: `10.${60 + options.index}.0.0/16`,
      LOG_LEVEL: 'debug',
      ...options.agentEnv?.[options.index],
    },
    readyUrl: `http://127.0.0.1:${healthPort}/readyz`,
    dir: options.dir,
  })
  agent.start()
  return { serverId: server.id, dataDir, agent, network, firstPort }
}

const register = async (options: { client: GraphqlClient; environment: string }, name: string, firstPort: number) => {
  const portRange = `${firstPort}-${firstPort + portsPerHost - 1}`
  const input = { name, environment: options.environment, portRange }
  const { registerServer: answer } = await options.client.run(registerServer, { input })
  return ok(answer, 'RegisterServerPayload')
}

const untilOnline = (client: GraphqlClient, id: string, limitMs: number): Promise<unknown> => {
  const isOnline = async (): Promise<boolean> => {
    const answer = await client.run(serverById, { id }).catch(() => undefined)
    return answer?.server?.status === 'ONLINE'
  }
  return eventually(isOnline, { what: `server ${id} is ONLINE`, limitMs, everyMs: 200 })
}

/** So many free ports in a row, below the kernel's own and beside those that other runs are likely to have. */
const findPorts = async (count: number): Promise<number> => {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = 30_000 + randomInt(2_700 - count)
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isPortFree(first + index, '0.0.0.0')))
    if (free.every(Boolean)) return first
  }
  throw new Error(`no ${count} free ports in a row between 30000 and 32700`)
}
