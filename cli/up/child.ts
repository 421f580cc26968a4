import { type ChildProcess, fork } from 'node:child_process'
import { closeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { backOffMs, withTimeout } from '../../lib/process/retry.ts'
import { mainFile } from '../root.ts'
import { isAlive, logTail, openLog, terminate } from '../services/processes.ts'
import { ServiceFault } from '../services/service.ts'

/** A child that lived this long has recovered: its next death is a first one again. */
const recoveredAfterMs = 60_000
const backOff = { minMs: 500, maxMs: 30_000 }
const startLimitMs = 60_000

/** What a part of ours tells the process that started it, once it works; `address` is where it listens, if anywhere. */
export interface ReadyMessage {
  kind: 'ready'
  address?: string
}

export interface Child {
  name: string
  /**
   * Starts it, and lets it go to work when `after` is there (it loads its code meanwhile). Resolves with its first `ready`;
   * from then on it is started again whenever it dies. Rejects when it ends before, with the last words of its log.
   */
  start(env: NodeJS.ProcessEnv, after?: Promise<unknown>): Promise<ReadyMessage>
  pid(): number | undefined
  /** Ends it for good: SIGTERM, and after `limitMs` SIGKILL. "Already ended" is success. */
  stop(limitMs: number): Promise<void>
}

/**
 * A part of ours as a child process. It runs in a session of its own, so that Ctrl-C reaches only us and we end things in
 * order; when we are killed it sees its channel close, and ends (`parent.ts`).
 */
export const makeChild = (options: {
  name: string
  /** Arguments of `manman`. */
  words: readonly string[]
  log: string
  onDeath: (why: string, waitMs: number) => void
  onReturn: () => void
}): Child => {
  const stopped = new AbortController()
  let current: Launched | undefined

  const launch = (env: NodeJS.ProcessEnv, after: Promise<unknown>): Launched => {
    const launched = forkPart(options, env)
    after.then(() => launched.process.send?.({ kind: 'go' }, () => {})).catch(() => {}) // whoever waits for `after` reports it
    return launched
  }

  const keepRunning = async (env: NodeJS.ProcessEnv, first: Launched): Promise<void> => {
    for (let deaths = 0, launched = first; ; launched = current!) {
      const startedAt = Date.now()
      const why = await launched.exited
      if (stopped.signal.aborted) return
      deaths = Date.now() - startedAt > recoveredAfterMs ? 1 : deaths + 1
      const waitMs = backOffMs(backOff, deaths)
      options.onDeath(why, waitMs)
      await delay(waitMs, undefined, { signal: stopped.signal }).catch(() => {})
      if (stopped.signal.aborted) return
      current = launch(env, Promise.resolve())
      current.ready.then(options.onReturn)
    }
  }

  return {
    name: options.name,
    start: async (env, after = Promise.resolve()) => {
      const first = launch(env, after)
      current = first
      await after
      const slow = () => new ServiceFault(`${options.name} did not start within ${startLimitMs / 1000} s, see ${options.log}`)
      const outcome = await withTimeout(Promise.race([first.ready, first.exited]), startLimitMs, slow)
      if (typeof outcome === 'string') {
        throw new ServiceFault(`${options.name} ended (${outcome}), see ${options.log}: ${logTail(options.log, 2)}`)
      }
      void keepRunning(env, first)
      return outcome
    },
    pid: () => current?.process.pid,
    stop: async (limitMs) => {
      stopped.abort()
      const pid = current?.process.pid
      if (pid !== undefined && isAlive(pid)) await terminate(pid, 'SIGTERM', limitMs)
    },
  }
}

interface Launched {
  process: ChildProcess
  ready: Promise<ReadyMessage>
  /** Why it ended: a signal's name, or `exit 1`. */
  exited: Promise<string>
}

const forkPart = (options: { words: readonly string[]; log: string }, env: NodeJS.ProcessEnv): Launched => {
  const log = openLog(options.log)
  const part = fork(mainFile, options.words, { detached: true, stdio: ['ignore', log, log, 'ipc'], env })
  closeSync(log)
  return {
    process: part,
    ready: new Promise((resolve) => {
      part.on('message', (message: ReadyMessage) => {
        if (message.kind === 'ready') resolve(message)
      })
    }),
    exited: new Promise((resolve) => {
      part.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`))
      part.once('error', (error) => resolve(error.message)) // it could not even be started
    }),
  }
}
