import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { pickPorts } from '../cli/services/state-file.ts'
import { connectDatabase, type Database } from '../lib/db/connect.ts'
import { makeLogger } from '../lib/process/logger.ts'
import { eventually } from '../tests/support/eventually.ts'
import { type GraphqlClient, makeGraphqlClient } from '../tests/support/graphql-client.ts'
import { removeLeftovers } from '../tests/support/leftovers.ts'
import { ok } from '../tests/support/ok.ts'
import { registerServer, serverById } from '../tests/support/operations.ts'
import { planControlPlane } from '../tests/support/stack-parts.ts'
import { type MeasuredProcess, startMeasured } from './measured-process.ts'
import { startServices } from './services.ts'

const root = resolve(import.meta.dirname, '..')
const program = join(root, 'dist/cli/main.js')
const onlineLimitMs = 60_000

const writerImage = async (): Promise<string> => (await import(join(root, 'deploy/docker.mjs'))).localBase()

/** All of ManMan, each deployable as a process of its own, with one machine: this one. */
export interface Stage {
  client: GraphqlClient
  db: Database
  amqpUrl: string
  /** Of the gateway, without a path. */
  address: string
  token: string
  environment: string
  serverId: string
  /** Image that runs the writer. */
  image: string
  agent: MeasuredProcess
  gateway: MeasuredProcess
  /** The subgraph that reads logs. */
  sessions: MeasuredProcess
  processor: MeasuredProcess
  /** Where objects are kept. */
  objectsDir: string
  /** The agent's, with the volumes of deployments. */
  dataDir: string
  close(): Promise<void>
}

export const openStage = async (options: { name: string; profile: string | undefined }): Promise<Stage> => {
  const closing: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end().catch((error) => console.error((error as Error).message))
  }
  try {
    const [services, image] = await Promise.all([startServices(`bench-${options.name}`), writerImage()])
    closing.push(services.stop)
    const environment = `bench-${randomBytes(4).toString('hex')}`
    closing.push(() => removeLeftovers(environment).catch(() => undefined)) // games are still there when a row has failed
    const token = randomBytes(24).toString('base64url')
    const objectsDir = join(services.dir, 'objects')
    const plane = await planControlPlane('many', {
      ...services,
      environment,
      adminToken: token,
      internalKey: randomBytes(32).toString('base64url'),
      objectsDir,
    })
    const start = async (given: { name: string; words: readonly string[]; env: Record<string, string>; readyUrl: string }) => {
      const started = await startMeasured({
        program,
        args: given.words,
        env: { ...given.env, HOME: services.dir, NODE_ENV: 'production', LOG_LEVEL: 'warn' },
        ready: given.readyUrl,
        log: join(services.dir, `${given.name}.log`),
        profile: options.profile && join(options.profile, given.name),
      })
      closing.push(started.stop)
      return started
    }
    const started = await Promise.all(plane.programs.map(async (given) => ({ name: given.name, program: await start(given) })))
    const named = (name: string): MeasuredProcess => started.find((one) => one.name === name)!.program

    const client = makeGraphqlClient({ url: `${plane.address}/graphql`, token })
    closing.push(client.close)
    const { registerServer: answer } = await client.run(registerServer, { input: { name: 'bench', environment } })
    const { server, enrollmentToken } = ok(answer, 'RegisterServerPayload')
    const dataDir = join(services.dir, 'host')
    const [healthPort] = await pickPorts(1)
    const agent = await start({
      name: 'host',
      words: ['host'],
      env: {
        MANMAN_DATA_DIR: dataDir,
        MANMAN_ENV: environment,
        MANMAN_JOIN_URL: plane.address,
        MANMAN_JOIN_TOKEN: enrollmentToken,
        MANMAN_NETWORK_POOL: '10.97.0.0/16',
        HEALTH_PORT: String(healthPort),
      },
      readyUrl: `http://127.0.0.1:${healthPort}/readyz`,
    })
    const isOnline = async (): Promise<boolean> => (await client.run(serverById, { id: server.id })).server?.status === 'ONLINE'
    await eventually(isOnline, { what: 'the server is ONLINE', limitMs: onlineLimitMs })

    const logger = makeLogger({ name: 'bench', level: 'error' })
    const database = connectDatabase({ url: services.databaseUrl, name: 'bench', logger, max: 3 })
    closing.push(database.close)
    return {
      client,
      db: database.db,
      amqpUrl: services.amqpUrl,
      address: plane.address,
      token,
      environment,
      serverId: server.id,
      image,
      agent,
      gateway: named('gateway'),
      sessions: named('sessions'),
      processor: named('processor'),
      objectsDir,
      dataDir,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
