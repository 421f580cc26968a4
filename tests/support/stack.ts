import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { pickPorts } from '../../cli/services/state-file.ts'
import { createTestBroker, type TestBroker } from './broker.ts'
import { createTestDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import { type GraphqlClient, makeGraphqlClient } from './graphql-client.ts'
import { removeLeftovers } from './leftovers.ts'
import { ok } from './ok.ts'
import { registerServer, serverById } from './operations.ts'
import { planControlPlane, type Topology } from './stack-parts.ts'
import './provided.ts'
import { type Program, startContainer, startProcess, tail } from './stack-program.ts'
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts'

export interface StackOptions {
  topology: Topology
  /** Where the agent runs, if anywhere; `process` if left out. */
  host?: 'process' | 'container' | 'none'
  /** Every program reaches the broker through `brokerProxy`, which can be cut. */
  brokerProxy?: boolean
  /** For the control plane, beside what it needs; given the broker's URL. */
  env?: (amqpUrl: string) => Promise<Record<string, string>>
}

/** ManMan as it is deployed: real processes from `dist/`, with a database and a vhost of their own. */
export interface Stack {
  /** Of the gateway, without a path. */
  address: string
  client: GraphqlClient
  adminToken: string
  databaseUrl: string
  /** Its own vhost. */
  broker: TestBroker
  /** Everything its programs write: their logs, the agent's data, objects. */
  dir: string
  /** Of this stack's own containers, in their labels. */
  environment: string
  serverId: string
  /** Where each subgraph is served, past the gateway; empty with topology `one`. */
  subgraphs: Record<string, string>
  /** SIGKILL to the agent; games go on. */
  killHost(): Promise<void>
  /** Starts the agent again, and waits until it is ready; `alive` is all it can be without a broker. */
  startHost(until?: 'ready' | 'alive'): Promise<void>
  /** Of the agent on this machine. */
  dataDir: string
  /** Where objects are kept. */
  objectsDir: string
  /** One more Server, whose agent is on this machine as well: with its own data and networks it sees nothing of the first. */
  addServer(name: string): Promise<AddedServer>
  /** SIGKILL to all of the control plane. */
  killControlPlane(): Promise<void>
  startControlPlane(): Promise<void>
  /** With the option of that name alone. */
  brokerProxy: TcpProxy | undefined
  /** The last lines of every program's log. */
  logs(): Promise<string>
  /** Ends everything in order, and fails when anything is left behind anywhere. */
  close(): Promise<void>
}

export interface AddedServer {
  id: string
  dataDir: string
  /** SIGKILL to its agent. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** Starts all of it and waits until the machine is ONLINE. What was started is ended when something fails. */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const image = options.host === 'container' ? inject('images').manman : undefined
  const ending: (() => Promise<unknown>)[] = []
  const programs: Program[] = []
  const environment = `e2e-${randomBytes(4).toString('hex')}`
  const endAll = async (): Promise<void> => {
    const failures: unknown[] = []
    // One after the other, the newest first: programs before what they are connected to.
    for (const end of ending.reverse()) await end().catch((error) => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, failures.map((error) => (error as Error).message).join('\n'))
  }
  const logs = async (): Promise<string> => {
    const parts = programs.map(async ({ name, log }) => `── ${name}\n${tail(await log(), 60)}`)
    return (await Promise.all(parts)).join('\n')
  }

  try {
    const [database, broker] = await Promise.all([createTestDatabase(), createTestBroker()])
    ending.push(database.drop, broker.drop)
    const dir = await mkdtemp(join(tmpdir(), `manman-${environment}-`))
    ending.push(() => rm(dir, { recursive: true, force: true }))
    ending.push(() => removeLeftovers(environment))

    const adminToken = randomBytes(24).toString('base64url')
    const brokerProxy = options.brokerProxy ? await openTcpProxy(broker.url) : undefined
    if (brokerProxy) ending.push(brokerProxy.close)
    const plane = await planControlPlane(options.topology, {
      databaseUrl: database.url,
      amqpUrl: brokerProxy?.url ?? broker.url,
      amqpManagementUrl: broker.managementUrl,
      environment,
      adminToken,
      internalKey: randomBytes(32).toString('base64url'),
      objectsDir: join(dir, 'objects'),
    })
    const more = (await options.env?.(broker.url)) ?? {}
    const ofPlane = (): Program[] => programs.filter(({ name }) => !name.startsWith('host'))
    const startControlPlane = async (): Promise<void> => {
      const started = await Promise.allSettled(
        plane.programs.map(async (program) => {
          const running = await startProcess({ ...program, env: { ...program.env, ...more }, dir })
          programs.push(running)
        }),
      )
      for (const result of started) if (result.status === 'rejected') throw result.reason
    }
    const killControlPlane = async (): Promise<void> => {
      const killed = ofPlane()
      await Promise.all(killed.map(({ kill }) => kill()))
      programs.splice(0, programs.length, ...programs.filter((program) => !killed.includes(program)))
    }
    ending.push(async () => void (await Promise.all(ofPlane().map(({ stop }) => stop()))))
    await startControlPlane()

    const client = makeGraphqlClient({ url: `${plane.address}/graphql`, token: adminToken })
    ending.push(client.close)
    const register = async (name: string) => {
      const { registerServer: registered } = await client.run(registerServer, { input: { name, environment } })
      return ok(registered, 'RegisterServerPayload')
    }
    const whenOnline = (id: string): Promise<unknown> => {
      const isOnline = async () => (await client.run(serverById, { id })).server?.status === 'ONLINE'
      return eventually(isOnline, { what: 'the server is ONLINE' })
    }
    const hostOptions = async (name: string, ownDataDir: string, token: string) => {
      const [healthPort] = await pickPorts(1)
      return {
        name,
        words: ['host'],
        env: {
          MANMAN_DATA_DIR: ownDataDir,
          MANMAN_ENV: environment,
          MANMAN_JOIN_URL: plane.address,
          MANMAN_JOIN_TOKEN: token,
          HEALTH_PORT: String(healthPort),
          LOG_LEVEL: 'debug',
        } as Record<string, string>,
        readyUrl: `http://127.0.0.1:${healthPort}/readyz`,
        dir,
      }
    }
    const { server, enrollmentToken } = await register('e2e')
    const dataDir = join(dir, 'data')
    const ofHost = await hostOptions('host', dataDir, enrollmentToken)
    const programNamed = (name: string): Program => programs.find((program) => program.name === name)!
    const replace = (running: Program): void => {
      programs.splice(0, programs.length, ...programs.filter(({ name }) => name !== running.name), running)
    }
    const startHost = async (until: 'ready' | 'alive' = 'ready'): Promise<void> => {
      const mounts = ['/var/run/docker.sock', dataDir]
      const readyUrl = until === 'alive' ? ofHost.readyUrl.replace('/readyz', '/healthz') : ofHost.readyUrl
      const how = { ...ofHost, readyUrl }
      replace(image ? await startContainer({ ...how, image, mounts }) : await startProcess(how))
    }
    if (options.host !== 'none') {
      await startHost()
      ending.push(() => programNamed('host').stop())
      await whenOnline(server.id)
    }
    const addServer = async (name: string): Promise<AddedServer> => {
      const added = await register(name)
      const ownDataDir = join(dir, `data-${name}`)
      const how = await hostOptions(`host ${name}`, ownDataDir, added.enrollmentToken)
      how.env.MANMAN_NETWORK_POOL = '10.214.0.0/16'
      const start = async (): Promise<void> => replace(await startProcess(how))
      await start()
      ending.push(() => programNamed(how.name).stop())
      await whenOnline(added.server.id)
      return { id: added.server.id, dataDir: ownDataDir, kill: () => programNamed(how.name).kill(), start }
    }

    return {
      address: plane.address,
      client,
      adminToken,
      databaseUrl: database.url,
      broker,
      dir,
      environment,
      serverId: server.id,
      subgraphs: plane.subgraphs,
      killHost: () => programNamed('host').kill(),
      startHost,
      dataDir,
      objectsDir: join(dir, 'objects'),
      addServer,
      killControlPlane,
      startControlPlane,
      brokerProxy,
      logs,
      close: endAll,
    }
  } catch (error) {
    const written = await logs().catch(String)
    await endAll().catch(() => undefined) // what failed first is what counts
    throw new Error(`${(error as Error).message}\n${written}`, { cause: error })
  }
}
