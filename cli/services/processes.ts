import { spawn } from 'node:child_process'
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const maxLogBytes = 8 * 1024 * 1024

/**
 * Moves a log that has grown large to `.1`, over the one before. Whoever writes it keeps it open for appending, so it is
 * copied and emptied; what is written in between is lost, which a log can bear.
 */
export const boundLog = (path: string): void => {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size <= maxLogBytes) return
  copyFileSync(path, `${path}.1`)
  truncateSync(path)
}

/** Opens a log for appending, readable by its owner only. */
export const openLog = (path: string): number => {
  mkdirSync(dirname(path), { recursive: true })
  boundLog(path)
  return openSync(path, 'a', 0o600)
}

export interface Spawned {
  pid: number
  /** The exit code, or the signal's name; resolves once, also when nobody waits. */
  exited: Promise<number | string>
}

/**
 * Starts a program in a session of its own, so that the terminal's Ctrl-C reaches only us and we end our children in order.
 * Its output goes to the log file. Rejects when the program can't be started at all.
 */
export const spawnDetached = async (
  command: readonly string[],
  options: { log: string; env?: NodeJS.ProcessEnv; cwd?: string },
): Promise<Spawned> => {
  const [program, ...args] = command
  const log = openLog(options.log)
  try {
    const child = spawn(program!, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.env ?? process.env,
      cwd: options.cwd,
    })
    const exited = new Promise<number | string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code ?? 0)))
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.unref()
    return { pid: child.pid!, exited }
  } finally {
    closeSync(log)
  }
}

/** Whether a process of that id lives; a zombie does not. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  try {
    // The state follows the command name, which stands in parentheses and may itself hold spaces and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    return process.platform !== 'linux' // no /proc there: the signal's answer has to do
  }
}

/** The command line of a process, or '' when it is gone or can't be read: proof that a remembered pid is still ours. */
export const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

/** Waits until `condition` holds; false when `limitMs` passed first. */
export const waitUntil = async (condition: () => boolean | Promise<boolean>, limitMs: number, everyMs = 50): Promise<boolean> => {
  const deadline = Date.now() + limitMs
  while (!(await condition())) {
    if (Date.now() >= deadline) return false
    await delay(everyMs)
  }
  return true
}

/** Asks a process (or, by a negative number, a process group) to end, and ends it with its group after `limitMs`. */
export const terminate = async (pid: number, signal: NodeJS.Signals, limitMs: number): Promise<void> => {
  if (!trySignal(pid, signal)) return
  const isGone = (): boolean => (pid > 0 ? !isAlive(pid) : !trySignal(pid, 0))
  if (await waitUntil(isGone, limitMs)) return
  if (!trySignal(-Math.abs(pid), 'SIGKILL')) trySignal(pid, 'SIGKILL')
  await waitUntil(isGone, 2_000)
}

const trySignal = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false // gone already, which is what was wanted
  }
}

/** The last lines of a log, on one line, for an error message. */
export const logTail = (path: string, lines = 3): string => {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join(' | ')
  } catch {
    return ''
  }
}
