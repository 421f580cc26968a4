import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { eventually } from './eventually.ts'
import { run } from './images/docker-cli.ts'

const main = resolve(import.meta.dirname, '../../dist/cli/main.js')
const readyLimitMs = 60_000
const stopLimitMs = 25_000

/** A program of the stack: an OS process, or a container with one in it. */
export interface Program {
  name: string
  /** Asks it to end in order; fails when it ends with anything but 0. "Already ended" is success. */
  stop(): Promise<void>
  /** SIGKILL. Resolves once it is gone. */
  kill(): Promise<void>
  /** All it has written so far. */
  log(): Promise<string>
}

export interface ProgramOptions {
  name: string
  /** Arguments of `manman`. */
  words: readonly string[]
  env: Record<string, string>
  /** Its `/readyz`, which it has to answer with 200 before it counts as started. */
  readyUrl: string
  /** Directory for its log. */
  dir: string
}

/** Starts `manman …` from `dist/` as a process of its own, and waits until it is ready. */
export const startProcess = async (options: ProgramOptions): Promise<Program> => {
  const path = join(options.dir, `${options.name}.log`)
  const fd = openSync(path, 'a')
  const child = spawn(process.execPath, [main, ...options.words], {
    // Nothing of the developer's own settings: only what a test says, and what any process has.
    env: { PATH: process.env.PATH, HOME: options.dir, ...options.env },
    cwd: options.dir,
    stdio: ['ignore', fd, fd],
  })
  closeSync(fd)
  let end: string | undefined
  const ended = new Promise<string>((done) => {
    child.once('exit', (code, signal) => done(signal ?? `exit ${code}`))
    child.once('error', (error) => done(error.message))
  }).then((how) => {
    end = how
    return how
  })
  const log = async (): Promise<string> => readFileSync(path, 'utf8')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  const stop = async (): Promise<void> => {
    if (end !== undefined) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
    const how = await ended.finally(() => clearTimeout(timer))
    if (how !== 'exit 0') throw new Error(`${options.name} did not end in order: ${how}\n${tail(await log())}`)
  }
  return untilReady(options, { name: options.name, stop, kill, log }, async () => end)
}

export interface ContainerOptions extends ProgramOptions {
  image: string
  /** Directories of this machine, at the same path inside. */
  mounts: readonly string[]
}

/** The same in a container, as an operator would run it: the machine's network, Docker's socket and the data mounted. */
export const startContainer = async (options: ContainerOptions): Promise<Program> => {
  const container = `manman-test-${options.name}-${process.pid}-${Date.now().toString(36)}`
  const mounts = options.mounts.flatMap((path) => ['--volume', `${path}:${path}`])
  const env = Object.entries(options.env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  await run('docker', [
    'run',
    '--detach',
    '--name',
    container,
    '--network',
    'host',
    ...mounts,
    ...env,
    options.image,
    ...options.words,
  ])
  const inspect = async (): Promise<{ Running: boolean; ExitCode: number }> =>
    JSON.parse(await run('docker', ['inspect', '--format', '{{json .State}}', container]))
  const log = (): Promise<string> => run('sh', ['-c', 'exec docker logs "$1" 2>&1', 'sh', container])
  let written: string | undefined
  const remove = async (): Promise<void> => {
    written = await log()
    await run('docker', ['rm', '--force', '--volumes', container])
  }
  const program: Program = {
    name: options.name,
    log: async () => written ?? log(),
    kill: async () => {
      if (written !== undefined) return
      await run('docker', ['kill', container]).catch(() => undefined) // it may have ended by itself
      await remove()
    },
    stop: async () => {
      if (written !== undefined) return
      await run('docker', ['stop', '--time', String(stopLimitMs / 1000), container])
      const { ExitCode } = await inspect()
      await remove()
      if (ExitCode !== 0) throw new Error(`${options.name} did not end in order: exit ${ExitCode}\n${tail(written ?? '')}`)
    },
  }
  return untilReady(options, program, async () => {
    const { Running, ExitCode } = await inspect()
    return Running ? undefined : `exit ${ExitCode}`
  })
}

const untilReady = async (
  options: ProgramOptions,
  program: Program,
  ending: () => Promise<string | undefined>,
): Promise<Program> => {
  let answer = 'nothing'
  const isReady = async (): Promise<boolean> => {
    const how = await ending()
    if (how !== undefined) throw new Error(`it ended: ${how}`)
    const response = await fetch(options.readyUrl, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
    if (response) answer = await response.text()
    return response?.status === 200
  }
  try {
    await eventually(isReady, { what: `${options.name} is ready`, limitMs: readyLimitMs, everyMs: 50 })
    return program
  } catch (error) {
    const log = tail(await program.log().catch(String))
    await program.kill().catch(() => undefined) // the error that matters is the one above
    throw new Error(`${options.name} did not get ready (/readyz: ${answer}): ${(error as Error).message}\n${log}`, {
      cause: error,
    })
  }
}

export const tail = (text: string, lines = 30): string => text.trimEnd().split('\n').slice(-lines).join('\n')
