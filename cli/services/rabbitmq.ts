import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { probeBroker } from '../../lib/rabbit/probe.ts'
import { commandLine, isAlive, logTail, type Spawned, spawnDetached, terminate, waitUntil } from './processes.ts'
import { makeSettings, plugins } from './rabbitmq-config.ts'
import { type Origin, type Service, ServiceFault } from './service.ts'
import { isPortAnswered, isPortFree, pickPorts, randomSecret, readState, writePrivate } from './state-file.ts'

const run = promisify(execFile)

const startLimitMs = 90_000 // about 10 s on two idle cores; a machine that installs packages beside it takes far longer
const adoptLimitMs = 30_000
const stopLimitMs = 20_000
/** In the middle of its start it hears no signal, and has nothing to lose yet. */
const unreadyStopLimitMs = 4_000
const portMapperLimitMs = 10_000

const stateSchema = z.object({
  amqpPort: z.number().int(),
  distributionPort: z.number().int(),
  epmdPort: z.number().int(),
  managementPort: z.number().int(),
  password: z.string(),
  /** Address of this machine on which others reach it too; undefined for loopback alone. */
  listen: z.string().optional(),
})

/** Ports and password of a broker of ours, as its `service.json` keeps them. */
export type BrokerState = z.infer<typeof stateSchema>

export interface EmbeddedRabbitOptions {
  /** Directory of this service alone: data, ports, password and Erlang's cookie are kept in it. */
  dir: string
  log: string
  /** An address of this machine, or 0.0.0.0, on which it listens for other machines as well. */
  listen?: string
}

/** A broker has beside a service its management API, with credentials; undefined where that is not ours to know. */
export interface RabbitService extends Service {
  managementUrl: string | undefined
}

/** Debian's wrapper in /usr/sbin insists on root and systemd's paths; the program itself runs anywhere, as anyone. */
const programs = ['/usr/lib/rabbitmq/bin/rabbitmq-server', '/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server']

/** Where the machine's RabbitMQ is, or undefined. */
export const findRabbit = (): string | undefined => programs.find((path) => existsSync(path))

/**
 * The machine's own RabbitMQ as a child process, on ports of its own, with one user made at the first start (there is no
 * `guest`). It listens on loopback, and where it is told to. Ports, password and data survive restarts. Nothing is started before `start()`.
 */
export const makeEmbeddedRabbit = async (options: EmbeddedRabbitOptions): Promise<RabbitService & { managementUrl: string }> => {
  const statePath = join(options.dir, 'service.json')
  const pluginsPath = join(options.dir, 'enabled_plugins')
  const remembered = await rememberedOrNew(options.dir, statePath)
  const state: BrokerState = { ...remembered, listen: options.listen }
  const url = `amqp://manman:${state.password}@127.0.0.1:${state.amqpPort}`
  let pid: number | undefined
  /** The shell around it, first of a process group; known earlier than the broker's own pid. */
  let wrapper: number | undefined
  /** The port mapper's start; a stop in the middle of it must wait, or the mapper comes up after all. */
  let mapping: Promise<void> | undefined
  let isStopped = false

  const start = async (): Promise<Origin> => {
    const program = findRabbit()
    if (!program) throw new ServiceFault('RabbitMQ is not installed: `apt-get install rabbitmq-server`, or set AMQP_URL')
    isStopped = false
    mkdirSync(options.dir, { recursive: true, mode: 0o700 })
    writePrivate(statePath, JSON.stringify(state))
    // One that an older release has started has no API.
    const hasApi = readFileSync(pluginsPath, { encoding: 'utf8', flag: 'a+' }) === plugins
    pid = await adopt(options.dir, url, { asItIs: remembered.listen === options.listen && hasApi })
    if (pid !== undefined) return 'adopted'
    writePrivate(join(options.dir, 'rabbitmq.conf'), makeSettings(state))
    writePrivate(pluginsPath, plugins)
    const env = environment(options.dir, state)
    mapping = beginPortMapper(state.epmdPort, env, options)
    await mapping
    if (isStopped) {
      // It may have been asked to stop before there was a port mapper to end.
      await endPortMapper(state.epmdPort)
      throw new ServiceFault('RabbitMQ was stopped while it started')
    }
    const spawned = await spawnDetached([program], { log: options.log, env, cwd: options.dir })
    wrapper = spawned.pid
    spawned.exited.then(() => {
      wrapper = undefined // its number may be another's from now on
    })
    try {
      await waitForAnswer(spawned, url, options.log)
    } catch (error) {
      await stop()
      throw error
    }
    pid = leftover(options.dir)
    return 'started'
  }

  const stop = async (): Promise<void> => {
    isStopped = true
    await mapping?.catch(() => undefined) // the start's own fault
    const broker = pid ?? leftover(options.dir)
    const limitMs = pid === undefined ? unreadyStopLimitMs : stopLimitMs
    if (broker !== undefined) await terminate(broker, 'SIGTERM', limitMs)
    // Stopped so early that there is no broker yet, the shell must not go on to start one.
    if (wrapper !== undefined) await terminate(-wrapper, 'SIGTERM', limitMs)
    const wasThere = broker !== undefined || wrapper !== undefined || mapping !== undefined
    mapping = undefined
    pid = undefined
    wrapper = undefined
    if (wasThere) await endPortMapper(state.epmdPort)
  }

  const managementUrl = `http://manman:${state.password}@127.0.0.1:${state.managementPort}`
  return { name: 'RabbitMQ', isOurs: true, url, managementUrl, start, stop, isAlive: () => pid !== undefined && isAlive(pid) }
}

/** The broker at `AMQP_URL`: ours to use, not to start or stop. */
export const externalRabbit = (url: string): RabbitService => ({
  managementUrl: undefined,
  name: 'RabbitMQ',
  isOurs: false,
  url,
  start: async () => {
    const fault = await probeBroker(url)
    if (fault) throw new ServiceFault(`AMQP_URL: the broker ${fault.message}`)
    return 'external'
  },
  isAlive: () => true,
  stop: async () => {},
})

/** Every path and port set, so that nothing of the machine's own broker is read, written or met. */
const environment = (dir: string, state: BrokerState): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  LANG: 'C.UTF-8',
  HOME: dir, // Erlang keeps its cookie there
  ERL_EPMD_PORT: String(state.epmdPort),
  ERL_EPMD_ADDRESS: '127.0.0.1',
  ERL_ZFLAGS: '-start_epmd false',
  RABBITMQ_NODENAME: 'manman@localhost',
  RABBITMQ_DIST_PORT: String(state.distributionPort),
  RABBITMQ_MNESIA_BASE: join(dir, 'data'),
  RABBITMQ_LOG_BASE: join(dir, 'log'),
  RABBITMQ_LOGS: '-',
  RABBITMQ_PID_FILE: join(dir, 'rabbitmq.pid'),
  RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq'),
  RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'advanced'),
  RABBITMQ_GENERATED_CONFIG_DIR: join(dir, 'generated'),
  RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
  RABBITMQ_CONF_ENV_FILE: join(dir, 'none'),
  // The distribution port takes anyone who has the cookie, and listens everywhere unless told.
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
})

/** The broker that the pid file names, if it lives and is ours. */
const leftover = (dir: string): number | undefined => {
  const path = join(dir, 'rabbitmq.pid')
  if (!existsSync(path)) return undefined
  const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
  if (isAlive(pid) && commandLine(pid).includes(`-home ${dir} `)) return pid
  rmSync(path, { force: true })
  return undefined
}

/** Takes over what a killed predecessor left, also one that is still starting; one that never answers, or listens elsewhere, is ended. */
const adopt = async (dir: string, url: string, { asItIs }: { asItIs: boolean }): Promise<number | undefined> => {
  const left = leftover(dir)
  if (left === undefined) return undefined
  if (asItIs && (await waitUntil(async () => (await probeBroker(url, 1_000)) === undefined, adoptLimitMs, 250))) return left
  await terminate(left, 'SIGTERM', stopLimitMs)
  return undefined
}

const waitForAnswer = async (spawned: Spawned, url: string, log: string): Promise<void> => {
  let exit: number | string | undefined
  spawned.exited.then((code) => {
    exit = code
  })
  const inTime = await waitUntil(
    async () => exit !== undefined || (await probeBroker(url, 1_000)) === undefined,
    startLimitMs,
    150,
  )
  if (exit !== undefined) throw new ServiceFault(`RabbitMQ ended at once (${exit}), see ${log}: ${logTail(log, 2)}`)
  if (!inTime) throw new ServiceFault(`RabbitMQ did not answer within ${startLimitMs / 1000} s, see ${log}`)
}

/**
 * Erlang's port mapper, begun by us: begun by the node, as a daemon, it could come up after a stop in the middle of a start,
 * and nobody would end it.
 */
const beginPortMapper = async (port: number, env: NodeJS.ProcessEnv, options: EmbeddedRabbitOptions): Promise<void> => {
  if (!(await isPortFree(port))) return // that of a node which died
  await spawnDetached(['epmd'], { log: options.log, env, cwd: options.dir })
  const listens = await waitUntil(() => isPortAnswered(port), portMapperLimitMs)
  if (!listens)
    throw new ServiceFault(`Erlang's port mapper (epmd) did not start, see ${options.log}: ${logTail(options.log, 2)}`)
}

/** It refuses to end while a node is registered, which a node that has just died still is for a moment. */
const endPortMapper = async (port: number): Promise<void> => {
  const env = { ...process.env, ERL_EPMD_PORT: String(port), ERL_EPMD_ADDRESS: '127.0.0.1' }
  const isGone = async (): Promise<boolean> => {
    if (await isPortFree(port)) return true
    await run('epmd', ['-kill'], { env, timeout: 1_000 }).catch(() => {}) // refused, or gone meanwhile
    return false
  }
  await waitUntil(isGone, portMapperLimitMs, 100)
}

/** Ports and password of the last run; other ports only if a stranger has one by now. */
const rememberedOrNew = async (dir: string, statePath: string): Promise<BrokerState> => {
  const remembered = readState(statePath, stateSchema)
  if (remembered && leftover(dir) !== undefined) return remembered
  if (remembered && (await Promise.all(portsOf(remembered).map((port) => isPortFree(port)))).every(Boolean)) return remembered
  const [amqpPort, distributionPort, epmdPort, managementPort] = (await pickPorts(4)) as [number, number, number, number]
  return { amqpPort, distributionPort, epmdPort, managementPort, password: remembered?.password ?? randomSecret() }
}

const portsOf = (state: BrokerState): number[] => [state.amqpPort, state.distributionPort, state.managementPort]
