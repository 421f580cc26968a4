import type { Topology } from '../lib/rabbit/kept-topology.ts'

/** A steady clock stands still while the machine sleeps, a wall clock may be set: a gap in either is a gap. */
export interface Clocks {
  steadyMs: () => number
  wallMs: () => number
}

const systemClocks: Clocks = { steadyMs: () => performance.now(), wallMs: () => Date.now() }

/** Looks further apart than this mean that the process, or its machine, slept in between. */
const maxGapMs = 3_000

export interface Listening {
  /** Ms of unbroken listening; 0 when not listening. */
  lookMs(): number
  /** Something shows that not all was heard: begin anew. */
  interrupt(): void
}

/**
 * Knows for how long this processor has been hearing what comes, without a break. Only then does silence mean that nobody
 * speaks. To be looked at every second: what lies between two looks further apart was not heard.
 */
export const makeListening = (isConsuming: () => boolean, clocks: Clocks = systemClocks): Listening => {
  let since: number | undefined
  let last: { steadyMs: number; wallMs: number } | undefined

  return {
    lookMs: () => {
      const now = { steadyMs: clocks.steadyMs(), wallMs: clocks.wallMs() }
      const slept =
        last !== undefined &&
        (now.steadyMs - last.steadyMs > maxGapMs ||
          Math.abs(now.wallMs - last.wallMs - (now.steadyMs - last.steadyMs)) > maxGapMs)
      last = now
      if (!isConsuming()) since = undefined
      else if (slept || since === undefined) since = now.steadyMs
      return since === undefined ? 0 : now.steadyMs - since
    },
    interrupt: () => {
      since = undefined
    },
  }
}

/** Ms for which everything that came to the queue was heard; 0 also while something waits there unread. */
export const heardMs = async (listening: Listening, topology: Pick<Topology, 'unread'>, queue: string): Promise<number> => {
  const ms = listening.lookMs()
  if (ms === 0) return 0
  try {
    return (await topology.unread(queue)) === 0 ? ms : 0
  } catch {
    listening.interrupt() // the connection carries nothing, though nobody has noticed yet
    return 0
  }
}
