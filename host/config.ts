import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { z } from 'zod'
import { BadConfig, envKinds, parseEnv } from '../lib/process/env.ts'
import { parseTargets } from './isolation/targets.ts'

const subnetPattern = /^\d{1,3}(\.\d{1,3}){3}\/16$/

const targets = z
  .string()
  .default('')
  .transform((text, context) => {
    const { targets: read, unread } = parseTargets(text)
    if (unread.length > 0) context.addIssue(`has ${unread.join(', ')}, and not ADDRESS, ADDRESS/BITS or one of these with :PORT`)
    return read
  })

/** Reads the agent's environment; throws `BadConfig` with every fault. Each variable is described in docs/configuration.md. */
export const readHostConfig = (env: NodeJS.ProcessEnv) => {
  const raw = parseEnv(
    {
      MANMAN_HOME: z.string().default('.manman'),
      MANMAN_DATA_DIR: z.string().optional(),
      MANMAN_ENV: z
        .string()
        .regex(/^[a-z0-9][a-z0-9_-]{0,49}$/, 'may have lower-case letters, digits, - and _')
        .default('default'),
      MANMAN_JOIN_URL: envKinds.url('http', 'https').optional(),
      MANMAN_JOIN_TOKEN: z.string().optional(),
      AMQP_URL: envKinds.url('amqp', 'amqps').optional(),
      DOCKER_SOCKET: z.string().default('/var/run/docker.sock'),
      MANMAN_NETWORK_POOL: z.string().regex(subnetPattern, 'is not an IPv4 network with /16').default('10.213.0.0/16'),
      MANMAN_ISOLATION: z.enum(['on', 'off'], 'is neither on nor off').default('on'),
      MANMAN_ISOLATION_ALLOW: targets,
      MANMAN_ISOLATION_DENY: targets,
      MANMAN_LOG_DISK_MB: envKinds.positiveInt(10_240),
      MANMAN_SESSION_LOG_MB: envKinds.positiveInt(1_024),
      MANMAN_DISK_FLOOR_MB: envKinds.positiveInt(1_024),
      MANMAN_BACKUPS_AT_ONCE: envKinds.positiveInt(1),
      HEALTH_HOST: z.string().default('127.0.0.1'),
      HEALTH_PORT: envKinds.port(4120),
      LOG_LEVEL: envKinds.logLevel,
    },
    env,
  )
  if (raw.MANMAN_JOIN_TOKEN !== undefined && raw.MANMAN_JOIN_URL === undefined) {
    throw new BadConfig(['MANMAN_JOIN_TOKEN is set without MANMAN_JOIN_URL'])
  }
  return {
    dataDir: resolve(raw.MANMAN_DATA_DIR ?? `${raw.MANMAN_HOME}/host`),
    environment: raw.MANMAN_ENV,
    join: raw.MANMAN_JOIN_URL && raw.MANMAN_JOIN_TOKEN ? { url: raw.MANMAN_JOIN_URL, token: raw.MANMAN_JOIN_TOKEN } : undefined,
    /** The control plane's door as this machine reaches it now; else the one it has joined by counts. */
    doorUrl: raw.MANMAN_JOIN_URL,
    /** Replaces the broker's address that enrolment gave: for a host that reaches it another way. */
    amqpUrl: raw.AMQP_URL,
    dockerSocket: raw.DOCKER_SOCKET,
    networkPool: raw.MANMAN_NETWORK_POOL,
    /** What games reach beyond the internet. */
    isolation: { on: raw.MANMAN_ISOLATION === 'on', allow: raw.MANMAN_ISOLATION_ALLOW, deny: raw.MANMAN_ISOLATION_DENY },
    logDiskBytes: raw.MANMAN_LOG_DISK_MB * 1024 * 1024,
    sessionLogBytes: raw.MANMAN_SESSION_LOG_MB * 1024 * 1024,
    diskFloorBytes: raw.MANMAN_DISK_FLOOR_MB * 1024 * 1024,
    backupsAtOnce: raw.MANMAN_BACKUPS_AT_ONCE,
    health: { host: raw.HEALTH_HOST, port: raw.HEALTH_PORT },
    logLevel: raw.LOG_LEVEL,
    machineName: hostname(),
  }
}

export type HostConfig = ReturnType<typeof readHostConfig>
