import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** What is simulated, and for how long. */
export interface Options {
  seconds: number
  hosts: number
  sessions: number
  /** Reports of sessions a second, of all hosts together; a fifth of them are restarts by policy. */
  reportsPerSecond: number
  /** Hosts that fall silent at once, now and then. */
  deaths: number
  /** The program to measure: another build can be compared. */
  processor: string
  /** Directory for a CPU profile of it. */
  profile: string | undefined
}

const built = resolve(import.meta.dirname, '../../dist/processor/main.js')

export const readOptions = (): Options => {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '300' },
      hosts: { type: 'string', default: '1000' },
      sessions: { type: 'string', default: '10000' },
      reports: { type: 'string', default: '50' },
      deaths: { type: 'string', default: '50' },
      processor: { type: 'string', default: built },
      profile: { type: 'string' },
    },
  })
  const number = (name: 'seconds' | 'hosts' | 'sessions' | 'reports' | 'deaths'): number => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value <= 0) throw new Error(`--${name} must be a whole number above 0`)
    return value
  }
  return {
    seconds: number('seconds'),
    hosts: number('hosts'),
    sessions: number('sessions'),
    reportsPerSecond: number('reports'),
    deaths: number('deaths'),
    processor: resolve(values.processor),
    profile: values.profile && resolve(values.profile),
  }
}
