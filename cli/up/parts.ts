import type { Home } from '../home.ts'
import { chooseDocker, choosePostgres, chooseRabbit } from '../services/choose.ts'
import { type Child, makeChild } from './child.ts'
import { readListening } from './listening.ts'

/** Everything that one `manman up` runs. Nothing is started yet. */
export const makeParts = async (
  home: Home,
  env: NodeJS.ProcessEnv,
  options: { report: (line: string) => void; changed: () => void },
) => {
  const listening = await readListening(env)
  const [postgres, rabbit] = await Promise.all([choosePostgres(home, env), chooseRabbit(home, env, listening.address)])
  const docker = chooseDocker(home, env)
  const child = (name: string, word: string): Child =>
    makeChild({
      name,
      words: [word],
      log: home.log(word),
      onDeath: (why, waitMs) => options.report(`${name} ended (${why}), starting it again in ${(waitMs / 1000).toFixed(1)} s`),
      onReturn: () => {
        options.changed()
        options.report(`${name} is back`)
      },
    })
  return {
    listening,
    postgres,
    rabbit,
    docker,
    controlPlane: child('control plane', 'control-plane'),
    host: child('host agent', 'host'),
  }
}

export type Parts = Awaited<ReturnType<typeof makeParts>>

/** What both children are told, whatever the environment said: the services as they really are. */
export const environments = (parts: Parts, home: Home, env: NodeJS.ProcessEnv) => {
  const shared = { ...env, MANMAN_HOME: home.dir, AMQP_URL: parts.rabbit.url }
  const managementUrl = parts.rabbit.managementUrl ?? env.MANMAN_AMQP_MANAGEMENT_URL
  return {
    controlPlane: {
      ...shared,
      DATABASE_URL: parts.postgres.url,
      MANMAN_AMQP_MANAGEMENT_URL: managementUrl,
      HOST: env.HOST || parts.listening.address,
      MANMAN_HOST_AMQP_URL: env.MANMAN_HOST_AMQP_URL || publicBroker(parts),
      MANMAN_ADMIN_TOKEN_FILE: env.MANMAN_ADMIN_TOKEN_FILE || home.adminTokenFile,
      MANMAN_INTERNAL_KEY_FILE: env.MANMAN_INTERNAL_KEY_FILE || home.internalKeyFile,
      MANMAN_SECRET_KEY_FILE: env.MANMAN_SECRET_KEY_FILE || home.secretKeyFile,
    },
    host: {
      ...shared,
      // It has a user of its own there, and may not know ours.
      ...(managementUrl && { AMQP_URL: withoutCredentials(parts.rabbit.url), MANMAN_AMQP_MANAGEMENT_URL: '' }),
      DOCKER_SOCKET: parts.docker.socket,
      HEALTH_PORT: env.HEALTH_PORT || '0', // ours to watch already; a fixed port would be in the way of a second `up`
    },
  }
}

const withoutCredentials = (text: string): string => {
  const url = new URL(text)
  url.username = ''
  url.password = ''
  return url.href
}

/** Our broker as other machines reach it; undefined for one that the environment names, which has one address for all. */
const publicBroker = ({ rabbit, listening }: Parts): string | undefined => {
  if (!rabbit.isOurs || listening.publicHost === undefined) return undefined
  const url = new URL(rabbit.url)
  url.hostname = listening.publicHost
  return url.href
}
