/** What the writer tells at its end. */
export interface Done {
  lines: number
  seconds: number
  /** The longest time that one write took. */
  stallMs: number
  /** When that was, since it began. */
  stallAtSeconds: number
}

const nowNs = (): number => Number(process.hrtime.bigint())

/** What the host says in a log where it knows that Docker has dropped lines. */
const lossLine = 'Lines are missing here'

/** Latencies kept of one measurement. */
const maxSamples = 1_000_000

/**
 * Looks at the writer's lines as they arrive, wherever: whether their numbers go on without hole, and how old they are.
 * `every: 'batch'` reads only the first and the last line of what arrives together, and begins wherever that is: for many
 * viewers in one process.
 */
export const makeMeter = ({ every = 'line' }: { every?: 'line' | 'batch' } = {}) => {
  let lastNumber = 0
  let lines = 0
  let missing = 0
  let doubled = 0
  let unshownHoles = 0
  let lossIsShown = false
  let latencies: number[] = []
  let doneLagMs = 0
  const dones: Done[] = []

  const see = (number: number): void => {
    if (number <= lastNumber) doubled++
    else {
      const isFirst = lastNumber === 0 && every === 'batch'
      if (number > lastNumber + 1 && !isFirst) {
        missing += number - lastNumber - 1
        if (!lossIsShown) unshownHoles++
      }
      lossIsShown = false
      lastNumber = number
    }
  }

  const take = (line: string, atNs: number): void => {
    if (line.startsWith('w ')) {
      const space = line.indexOf(' ', 2)
      see(Number(line.slice(2, space)))
      lines++
      if (latencies.length < maxSamples)
        latencies.push((atNs - Number(line.slice(space + 1, line.indexOf(' ', space + 1)))) / 1e6)
    } else if (line.startsWith('done ')) {
      const { at, ...done } = JSON.parse(line.slice('done '.length))
      doneLagMs = (atNs - at) / 1e6
      dones.push(done)
    } else if (line.startsWith(lossLine)) lossIsShown = true
  }

  const takeEnds = (text: string, atNs: number): void => {
    const first = text.indexOf('\n')
    take(first < 0 ? text : text.slice(0, first), atNs)
    const last = text.lastIndexOf('\nw ')
    if (last < 0) return
    // Those between them are believed: one viewer of the same run looks at all.
    const number = Number.parseInt(text.slice(last + 3, last + 20), 10)
    if (lastNumber > 0) lines += number - lastNumber
    lastNumber = number
  }

  return {
    /** Lines that have just arrived, joined by newlines. */
    take: (text: string): void => {
      const atNs = nowNs()
      if (every === 'batch') takeEnds(text, atNs)
      else for (const line of text.split('\n')) take(line, atNs)
    },
    /** A gap was shown: what comes next need not go on where the last line was. */
    gap: (): void => {
      lossIsShown = true
    },
    dones,
    /** How old the last `done` was when it arrived. */
    lagMs: () => doneLagMs,
    /** Lines seen so far; those missing, how often without a word of it, and those that came twice. */
    counts: () => ({ lines, missing, unshownHoles, doubled }),
    /** Latencies in ms since it was asked for the last time, sorted. */
    latencies: (): number[] => {
      const taken = latencies.sort((a, b) => a - b)
      latencies = []
      return taken
    },
  }
}

export type Meter = ReturnType<typeof makeMeter>

/** The value that `part` of the sorted ones do not exceed. */
export const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
