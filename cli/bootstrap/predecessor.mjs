// Another `up` of the same home: one that runs is a fault; what a killed one left is ended before we take its ports.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const endLimitMs = 15000

/** The pid of the `up` that runs from this home, or undefined; parts of a dead one are gone when it resolves. */
export const findPredecessor = async (home) => {
  const { pid, children } = readClaim(home)
  if (pid !== undefined && runs(pid, 'bootstrap.mjs')) return pid
  const left = () => children.filter((child) => runs(child, 'main.js'))
  // They end by themselves when they see that their parent is gone; one that hangs is killed.
  for (const deadline = Date.now() + endLimitMs; left().length > 0 && Date.now() < deadline; ) await pause(100)
  for (const child of left()) process.kill(child, 'SIGKILL')
  return undefined
}

const readClaim = (home) => {
  try {
    return JSON.parse(readFileSync(join(home, 'up.json'), 'utf8'))
  } catch {
    return { children: [] } // never started here, or ended in order
  }
}

/** Whether that process lives and is what we think: pids are given again. */
const runs = (pid, what) => {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return !existsSync('/proc/self') || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(what)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
