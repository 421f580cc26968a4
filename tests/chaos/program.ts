import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const main = resolve(import.meta.dirname, '../../dist/cli/main.js')
const stopLimitMs = 25_000
const restartDelayMs = 500

/** A deployable in a process of its own, under a supervisor: what ends unasked is started again, and remembered. */
export interface Program {
  name: string
  start(): void
  /** SIGKILL; it stays away until `start`. */
  kill(): Promise<void>
  /** SIGSTOP: it holds its connections and does nothing. */
  pause(): void
  resume(): void
  isReady(): Promise<boolean>
  /** Asks it to end in order; fails when it does not. */
  stop(): Promise<void>
  unaskedEnds(): string[]
}

export const makeProgram = (options: {
  name: string
  words: readonly string[]
  env: Record<string, string>
  readyUrl: string
  /** For its log. */
  dir: string
}): Program => {
  const { name } = options
  let child: ChildProcess | undefined
  let isWanted = false
  const unasked: string[] = []

  const start = (): void => {
    if (child) return
    isWanted = true
    const fd = openSync(join(options.dir, `${name}.log`), 'a')
    const started = spawn(process.execPath, [main, ...options.words], {
      env: { PATH: process.env.PATH, HOME: options.dir, ...options.env },
      cwd: options.dir,
      stdio: ['ignore', fd, fd],
    })
    closeSync(fd)
    child = started
    started.once('exit', (code, signal) => {
      child = undefined
      if (!isWanted) return
      unasked.push(`${name} ended by itself: ${signal ?? `exit ${code}`}`)
      setTimeout(() => isWanted && start(), restartDelayMs)
    })
  }
  const ended = async (): Promise<void> => {
    while (child) await delay(20)
  }

  return {
    name,
    start,
    kill: async () => {
      isWanted = false
      child?.kill('SIGKILL')
      await ended()
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    isReady: async () => {
      if (!child) return false
      const response = await fetch(options.readyUrl, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
      await response?.body?.cancel()
      return response?.status === 200
    },
    stop: async () => {
      isWanted = false
      if (!child) return
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        child?.kill('SIGKILL')
      }, stopLimitMs)
      await ended()
      clearTimeout(timer)
      if (isLate) throw new Error(`${name} did not end within ${stopLimitMs / 1000} s when it was asked to`)
    },
    unaskedEnds: () => unasked,
  }
}
