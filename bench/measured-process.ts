import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Of Linux on all its usual platforms. */
const ticksPerSecond = 100
const readyLimitMs = 60_000
const stopLimitMs = 25_000

/** A program of ours as a process of its own, and what it costs, by the kernel's own account. */
export const startMeasured = async (options: {
  program: string
  args?: readonly string[]
  env: Record<string, string>
  /** An address that answers well once it is ready, or whoever asks. */
  ready: string | (() => Promise<boolean>)
  log: string
  profile: string | undefined
}) => {
  const fd = openSync(options.log, 'a')
  const flags = options.profile ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : []
  const child = spawn(process.execPath, [...flags, options.program, ...(options.args ?? [])], {
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', fd, fd],
    detached: true, // a session of its own: Linux shares processors out by session, and ours is busy being a thousand hosts
  })
  closeSync(fd)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
    await ended.finally(() => clearTimeout(timer))
  }
  const { ready } = options
  const isReady = (): Promise<boolean> =>
    (typeof ready === 'string' ? fetch(ready).then(({ ok }) => ok) : ready()).catch(() => false)
  for (const deadline = Date.now() + readyLimitMs; !(await isReady()); await delay(100)) {
    if (child.exitCode === null && Date.now() < deadline) continue
    await stop()
    throw new Error(`${options.program} did not become ready; see ${options.log}`)
  }
  return {
    /** Time on processors since it began, of all its threads, in seconds. */
    cpuSeconds: (): number => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
      return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
    },
    signal: (name: 'SIGSTOP' | 'SIGCONT'): boolean => child.kill(name),
    rssBytes: (): number => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]),
    stop,
  }
}

export type MeasuredProcess = Awaited<ReturnType<typeof startMeasured>>
