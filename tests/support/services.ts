import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { dockerSocket, makeDockerEngine } from '../../cli/services/docker.ts'
import { makeEmbeddedPostgres } from '../../cli/services/postgres.ts'
import { isAlive } from '../../cli/services/processes.ts'
import { makeEmbeddedRabbit } from '../../cli/services/rabbitmq.ts'

/** Where tests reach the services they share. */
export interface TestServices {
  /** A superuser's URL; each test file clones a database of its own with it. */
  databaseUrl: string
  /** The broker's default vhost; each test file makes a vhost of its own. */
  amqpUrl: string
  /** The broker's HTTP API, with credentials. */
  amqpManagementUrl: string
}

const cacheDir = resolve(import.meta.dirname, '../.cache')

const open = async (dir: string) => {
  const postgres = await makeEmbeddedPostgres({ dir: join(dir, 'postgres'), log: join(dir, 'postgres.log'), durable: false })
  const rabbit = await makeEmbeddedRabbit({ dir: join(dir, 'rabbitmq'), log: join(dir, 'rabbitmq.log') })
  return { postgres, rabbit }
}

/** Starts a PostgreSQL and a RabbitMQ for tests, in a directory of this process alone; `stop()` removes it. */
export const startTestServices = async (): Promise<{ services: TestServices; stop(): Promise<void> }> => {
  mkdirSync(cacheDir, { recursive: true })
  await sweepAbandoned()
  const dir = join(cacheDir, `services-${process.pid}`)
  const { postgres, rabbit } = await open(dir)
  const stop = async (): Promise<void> => {
    await Promise.all([postgres.stop(), rabbit.stop()])
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all([postgres.start(), rabbit.start()])
  } catch (error) {
    await stop()
    throw error
  }
  return { services: { databaseUrl: postgres.url, amqpUrl: rabbit.url, amqpManagementUrl: rabbit.managementUrl }, stop }
}

/** Starts Docker where it does not run yet, and leaves it running: games and images outlive a test run. */
export const ensureDocker = async (): Promise<void> => {
  await makeDockerEngine({ socket: dockerSocket(process.env), log: join(cacheDir, 'dockerd.log') }).start()
}

/** Ends and removes what a killed test run left behind. */
const sweepAbandoned = async (): Promise<void> => {
  for (const name of readdirSync(cacheDir)) {
    const pid = Number(/^services-(\d+)$/.exec(name)?.[1])
    if (!pid || isAlive(pid)) continue
    const { postgres, rabbit } = await open(join(cacheDir, name))
    await Promise.all([postgres.stop(), rabbit.stop()])
    rmSync(join(cacheDir, name), { recursive: true, force: true })
  }
}
