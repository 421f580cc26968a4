import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Tally, Target } from './target.ts'

/** So many cases are run with one seed: a failure is found again by its chunk alone. */
export const chunkCases = 5_000
/** Silence of a worker, which says after each 100 cases that it goes on: it hangs. */
const silenceLimitMs = 60_000
const workers = 2

export interface Summary extends Tally {
  target: string
  cases: number
  /** Of all its chunks together. */
  seconds: number
  seed: number
}

interface Chunk {
  name: string
  cases: number
  seed: number
}

const chunksOf = (name: string, cases: number, seed: number): Chunk[] =>
  Array.from({ length: Math.ceil(cases / chunkCases) }, (_, index) => ({
    name,
    cases: Math.min(chunkCases, cases - index * chunkCases),
    seed: seed + index,
  }))

/** Runs `cases` of each target over two processes, and says each summary once its last chunk has ended. */
export const runTargets = async (
  options: { targets: readonly Pick<Target, 'name' | 'share'>[]; cases: number; seed: number },
  say: (summary: Summary) => void,
): Promise<Summary[]> => {
  const { targets, cases, seed } = options
  const wanted = new Map(targets.map(({ name, share }) => [name, Math.ceil(cases * share)]))
  const queue = [...wanted].flatMap(([name, count]) => chunksOf(name, count, seed))
  const summaries = [...wanted.keys()].map(
    (target): Summary => ({ target, cases: 0, seconds: 0, seed, accepted: 0, refused: 0, failure: null }),
  )

  const note = ({ name, seed, cases: done }: Chunk, tally: Tally & { seconds: number }): void => {
    const summary = summaries.find(({ target }) => target === name)!
    summary.cases += done
    summary.seconds += tally.seconds
    summary.accepted += tally.accepted
    summary.refused += tally.refused
    if (tally.failure !== null) summary.failure ??= `npm run fuzz -- ${name} --cases ${done} --seed ${seed}\n${tally.failure}`
    if (summary.cases === wanted.get(name)) say({ ...summary, seconds: Number(summary.seconds.toFixed(1)) })
  }
  const work = async (): Promise<void> => {
    let child: ChildProcess | undefined
    for (let chunk = queue.shift(); chunk; chunk = queue.shift()) {
      child ??= await startWorker()
      const tally = await runChunk(child, chunk)
      note(chunk, tally)
      if (child.exitCode !== null || child.signalCode !== null) child = undefined
    }
    child?.disconnect()
  }
  await Promise.all(Array.from({ length: workers }, work))
  return summaries
}

const startWorker = async (): Promise<ChildProcess> => {
  const child = fork(join(import.meta.dirname, 'worker-process.ts'), { stdio: 'inherit' })
  await once(child, 'message')
  return child
}

/** What came of it; a process that died or hangs is a failure of its chunk. */
const runChunk = async (child: ChildProcess, chunk: Chunk): Promise<Tally & { seconds: number }> => {
  const failed = (failure: string) => ({ accepted: 0, refused: 0, seconds: 0, failure })
  const ending = new AbortController()
  let done = 0
  const timer = setTimeout(() => child.kill('SIGKILL'), silenceLimitMs)
  const onProgress = (message: unknown): void => {
    if (typeof message === 'number') done = message
    timer.refresh()
  }
  child.on('message', onProgress)
  child.send(chunk)
  try {
    return await Promise.race([
      untilTally(child, ending.signal),
      once(child, 'exit', { signal: ending.signal }).then(([code, signal]) =>
        failed(signal === 'SIGKILL' ? `a case behind the first ${done} hangs` : `the process ended: ${signal ?? code}`),
      ),
    ])
  } finally {
    clearTimeout(timer)
    child.off('message', onProgress)
    ending.abort()
  }
}

/** By one listener, as messages may come together. */
const untilTally = (child: ChildProcess, signal: AbortSignal): Promise<Tally & { seconds: number }> =>
  new Promise((resolve) => {
    const onMessage = (message: unknown): void => {
      if (typeof message === 'object') resolve(message as Tally & { seconds: number })
    }
    child.on('message', onMessage)
    signal.addEventListener('abort', () => child.off('message', onMessage))
  })
