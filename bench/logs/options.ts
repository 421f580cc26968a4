import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** In the order they are measured in; each is a file in rows/. */
export const rowNames = ['latency', 'rate', 'page', 'search', 'sessions', 'stopped', 'flat', 'viewers', 'stalled'] as const
export type RowName = (typeof rowNames)[number]

/** What is measured, and how much of it. The defaults are what the floors and goals are about. */
export interface Options {
  rows: RowName[]
  /** Of a measurement at one pace. */
  seconds: number
  /** The pace that is found has to be kept up for so long. */
  rateSeconds: number
  /** Of one attempt while looking for it. */
  probeSeconds: number
  stoppedSeconds: number
  flatSeconds: number
  /** Of the archived log. */
  lines: number
  sessions: number
  viewers: number
  json: string
  /** Directory for CPU profiles of our programs. */
  profile: string | undefined
}

const numbers = {
  seconds: '60',
  'rate-seconds': '300',
  'probe-seconds': '10',
  'stopped-seconds': '30',
  'flat-seconds': '60',
  lines: '10000000',
  sessions: '100',
  viewers: '200',
} as const

export const readOptions = (): Options => {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      json: { type: 'string', default: join(import.meta.dirname, '../results/logs.json') },
      profile: { type: 'string' },
      ...(Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, { type: 'string', default: value }])) as {
        [Name in keyof typeof numbers]: { type: 'string'; default: string }
      }),
    },
  })
  const number = (name: keyof typeof numbers): number => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value <= 0) throw new Error(`--${name} must be a whole number above 0`)
    return value
  }
  const wanted = values.only?.split(',') ?? [...rowNames]
  const unknown = wanted.filter((name) => !rowNames.includes(name as RowName))
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}: there are ${rowNames.join(', ')}`)
  return {
    rows: rowNames.filter((name) => wanted.includes(name)),
    seconds: number('seconds'),
    rateSeconds: number('rate-seconds'),
    probeSeconds: number('probe-seconds'),
    stoppedSeconds: number('stopped-seconds'),
    flatSeconds: number('flat-seconds'),
    lines: number('lines'),
    sessions: number('sessions'),
    viewers: number('viewers'),
    json: resolve(values.json),
    profile: values.profile && resolve(values.profile),
  }
}
