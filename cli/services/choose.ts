import { join } from 'node:path'
import type { Home } from '../home.ts'
import { dockerSocket, makeDockerEngine } from './docker.ts'
import { externalPostgres, makeEmbeddedPostgres } from './postgres.ts'
import { externalRabbit, makeEmbeddedRabbit, type RabbitService } from './rabbitmq.ts'
import type { Service } from './service.ts'

/** The database: at `DATABASE_URL`, or our own. */
export const choosePostgres = (home: Home, env: NodeJS.ProcessEnv): Promise<Service> =>
  env.DATABASE_URL
    ? Promise.resolve(externalPostgres(env.DATABASE_URL))
    : makeEmbeddedPostgres({ dir: join(home.dir, 'postgres'), log: home.log('postgres') })

/** The broker: at `AMQP_URL`, or our own, which listens on `listen` as well. */
export const chooseRabbit = (home: Home, env: NodeJS.ProcessEnv, listen?: string): Promise<RabbitService> =>
  env.AMQP_URL
    ? Promise.resolve(externalRabbit(env.AMQP_URL))
    : makeEmbeddedRabbit({
        dir: join(home.dir, 'rabbitmq'),
        log: home.log('rabbitmq'),
        listen,
      })

export const chooseDocker = (home: Home, env: NodeJS.ProcessEnv) =>
  makeDockerEngine({ socket: dockerSocket(env), log: home.log('dockerd') })
