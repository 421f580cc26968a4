import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from 'graphql-ws'

export const followSessionLog = /* GraphQL */ `
  subscription FollowSessionLog($sessionId: ID!, $after: String, $tail: Int) {
    sessionLogs(sessionId: $sessionId, after: $after, tail: $tail) {
      cursor
      lines { seq at stream text }
      gap { kind fromSeq toSeq lostLines reason }
      end
    }
  }
`

export interface LogLine {
  /** Counts 1, 2, 3 … within a session. */
  seq: number
  at: string
  /** What an operator typed is INPUT; what the platform did is SYSTEM. */
  stream: 'STDOUT' | 'STDERR' | 'INPUT' | 'SYSTEM'
  text: string
}

/** Lines that can not be had any more. */
export interface LogGap {
  kind: 'EXPIRED' | 'LOST_AT_SOURCE' | 'SKIPPED_FOR_VIEWER'
  fromSeq?: number | null
  toSeq?: number | null
  lostLines?: number | null
  reason: string
}

export interface LogBatch {
  /** Give it as `after` to go on behind this batch, in another process too. */
  cursor: string
  lines: LogLine[]
  gap?: LogGap | null
  /** The session has ended and its last line was told. */
  end: boolean
}

export interface FollowOptions {
  /** Go on behind this cursor. */
  after?: string
  /** Begin with the last so many lines; not together with `after`. Without either, with the first. */
  tail?: number
  /** Ends the following, also while nothing comes. */
  signal?: AbortSignal
  /** Connection or service was lost; it is tried again until it is there. */
  onLost?: (why: string) => void
}

/** A line is missing and no gap has told of it. */
export class MissingLine extends Error {
  override name = 'MissingLine'
}

const retry = { firstMs: 100, maxMs: 5_000 }

/**
 * Every line of a session's log once and in order, then the end: over any number of lost connections, restarts of the gateway
 * and of what is behind it. Throws what trying again does not mend: no such session, no permission, an expired cursor; and
 * when a line is missing that no gap has told of.
 */
export async function* followLog(client: Client, sessionId: string, options: FollowOptions = {}): AsyncGenerator<LogBatch, void> {
  const { tail, signal, onLost } = options
  const order = makeOrder(options.after === undefined && tail === undefined ? 0 : undefined)
  let { after } = options
  for (let failures = 0; !signal?.aborted; failures++) {
    try {
      for await (const batch of batches(client, after === undefined ? { sessionId, tail } : { sessionId, after }, signal)) {
        failures = 0
        after = batch.cursor
        yield { ...batch, lines: order.take(batch) }
        if (batch.end) return
      }
      throw new Error('completed without an end')
    } catch (error) {
      if (signal?.aborted) return
      if (!isLost(error)) throw asError(error)
      onLost?.(asError(error).message)
    }
    await delay(waitMs(failures), undefined, { signal }).catch(() => undefined)
  }
}

/** Longer after each failure, and never quite the same for all who were cut off at once. */
const waitMs = (failures: number): number =>
  Math.min(retry.maxMs, retry.firstMs * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)

/** Lets each line through once. `before` is the number of the line before the first, where it is known. */
const makeOrder = (before: number | undefined) => {
  let last = before
  return {
    take: ({ lines, gap }: LogBatch): LogLine[] => {
      const fresh = lines.filter(({ seq }) => last === undefined || seq > last)
      for (const { seq } of fresh) {
        if (last !== undefined && seq !== last + 1) throw new MissingLine(`line ${seq} came after line ${last}`)
        last = seq
      }
      if (gap?.toSeq != null) last = Math.max(last ?? 0, gap.toSeq)
      return fresh
    },
  }
}

type Results = AsyncIterableIterator<{ data?: { sessionLogs: LogBatch } | null; errors?: readonly unknown[] }>

async function* batches(client: Client, variables: Record<string, unknown>, signal?: AbortSignal): AsyncGenerator<LogBatch> {
  const results = client.iterate({ query: followSessionLog, variables }) as unknown as Results
  // Whoever waits for the next batch could not be told to stop by the generators around it.
  const stop = (): void => void results.return?.()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    for await (const { data, errors } of results) {
      if (errors || !data) throw errors ?? []
      yield data.sessionLogs
    }
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** Errors of the operation come as an array; anything else is the end of the connection. */
const isLost = (error: unknown): boolean => {
  if (Array.isArray(error)) return error.some(({ extensions }) => passing.has(extensions?.code))
  return !(error instanceof MissingLine) && !refused.has((error as { code?: number }).code ?? 0)
}

/** Something behind the gateway was lost, or is not there yet. */
const passing = new Set(['UPSTREAM_LOST', 'UNAVAILABLE'])
/** The gateway's close codes for a token that it does not take. */
const refused = new Set([4400, 4401, 4403])

const asError = (error: unknown): Error => {
  if (error instanceof Error) return error
  if (Array.isArray(error)) return new Error(error.map(({ message, extensions }) => `${extensions?.code}: ${message}`).join('; '))
  const { code, reason } = error as { code?: number; reason?: string }
  return new Error(`connection closed: ${code ?? 'no code'} ${reason ?? ''}`.trim())
}
