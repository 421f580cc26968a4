import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeEmbeddedPostgres } from '../../cli/services/postgres.ts'
import { isAlive, waitUntil } from '../../cli/services/processes.ts'
import { makeEmbeddedRabbit } from '../../cli/services/rabbitmq.ts'

/** A real service of the run's own, that can be restarted under everybody's hands. */
export interface ChaosService {
  url: string
  /** Ends it and starts it again after `ms`; `hard` without letting it finish anything. */
  restart(ms: number, hard: boolean): Promise<void>
  stop(): Promise<void>
}

const goneLimitMs = 20_000

type Engine = { url: string; start(): Promise<unknown>; stop(): Promise<void> }

const makeService = (engine: Engine, readPid: () => number, deadly: NodeJS.Signals): ChaosService => ({
  url: engine.url,
  restart: async (ms, hard) => {
    if (hard) {
      const pid = readPid()
      process.kill(pid, deadly)
      if (!(await waitUntil(() => !isAlive(pid), goneLimitMs))) throw new Error(`process ${pid} did not end by ${deadly}`)
    }
    // After a hard end too: it puts away what stood around the process.
    await engine.stop()
    await new Promise((resolve) => setTimeout(resolve, ms))
    await engine.start()
  },
  stop: engine.stop,
})

const pidIn = (path: string) => () => Number.parseInt(readFileSync(path, 'utf8'), 10)

/** Starts a PostgreSQL that keeps what it has committed, and a RabbitMQ, in `dir`. */
export const startServices = async (dir: string): Promise<{ postgres: ChaosService; rabbit: ChaosService }> => {
  const postgres = await makeEmbeddedPostgres({ dir: join(dir, 'postgres'), log: join(dir, 'postgres.log') })
  const rabbit = await makeEmbeddedRabbit({ dir: join(dir, 'rabbitmq'), log: join(dir, 'rabbitmq.log') })
  try {
    await Promise.all([postgres.start(), rabbit.start()])
  } catch (error) {
    await Promise.all([postgres.stop(), rabbit.stop()])
    throw error
  }
  return {
    // SIGQUIT is PostgreSQL's own word for a crash: it recovers from its log at the next start.
    postgres: makeService(postgres, pidIn(join(dir, 'postgres/data/postmaster.pid')), 'SIGQUIT'),
    rabbit: makeService(rabbit, pidIn(join(dir, 'rabbitmq/rabbitmq.pid')), 'SIGKILL'),
  }
}
