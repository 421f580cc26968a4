import { checkExtraCertificates } from './certificates.ts'
import { BadConfig, exitBadConfig } from './env.ts'

export interface Running {
  close(): Promise<void>
  /** Resolves, with why, when it has nothing left to do here, and starting it again would not change that. */
  ended?: Promise<string>
}

/** A close that takes longer is given up: a process that can't end blocks its successor. */
const closeLimitMs = 20_000

/**
 * The whole life of a deployable's process: starts it, stops it in order on SIGTERM or SIGINT, and exits.
 * Config faults are printed by name and exit 78, as does one that has `ended` by itself; a second signal or a close over 20 s
 * ends the process at once with 1.
 */
export const runProcess = async (start: (env: NodeJS.ProcessEnv) => Promise<Running>): Promise<void> => {
  let running: Running | undefined
  let stopping = false
  const stop = (exitCode: number): void => {
    if (stopping) process.exit(1)
    stopping = true
    if (!running) process.exit(exitCode)
    setTimeout(() => process.exit(1), closeLimitMs).unref()
    running.close().then(
      () => process.exit(exitCode),
      (error) => fail('did not stop cleanly', error),
    )
  }
  process.on('SIGTERM', () => stop(0))
  process.on('SIGINT', () => stop(0))
  try {
    checkExtraCertificates(process.env)
    running = await start(process.env)
    running.ended?.then((why) => {
      process.stderr.write(`${why}\n`)
      if (!stopping) stop(exitBadConfig)
    })
  } catch (error) {
    if (error instanceof BadConfig) {
      for (const fault of error.faults) process.stderr.write(`config: ${fault}\n`)
      process.exit(exitBadConfig)
    }
    fail('could not start', error)
  }
}

const fail = (what: string, error: unknown): never => {
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${what}: ${text}\n`)
  if (process.env.LOG_LEVEL === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  process.exit(1)
}
