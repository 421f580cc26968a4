import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Agent, type Dispatcher, request } from 'undici'
import { makeCollecting } from './collect.ts'
import { JobFailed } from './errors.ts'

/** The store said no; whether asking again helps depends on what it said. */
export class StoreRefused extends Error {
  override name = 'StoreRefused'
  readonly status: number
  constructor(status: number, words: string) {
    super(`The store answers ${status}${words === '' ? '' : `: ${words}`}`)
    this.status = status
  }
}

const connectLimitMs = 10_000
const maxWords = 300
/** More than a socket holds, so that a piece is on its way before the next one is asked for. */
const pieceBytes = 256 * 1024

/** An address as the control plane gives it: whole, or a path at the door that this host joined by. */
export const resolveAddress = (address: string, doorUrl: string | undefined): URL => {
  if (/^https?:/i.test(address)) return new URL(address)
  if (doorUrl !== undefined) return new URL(address, doorUrl)
  throw new JobFailed(
    "The store is behind the control plane's door, and this host does not know its address: it joined before that was kept. Set MANMAN_JOIN_URL to it and restart the host.",
  )
}

/** What of a failed try deserves another one, with the same address or a fresh one; everything else stays as it is. */
export const isWorthARetry = (error: unknown): boolean =>
  !(error instanceof JobFailed) &&
  (!(error instanceof StoreRefused) || error.status >= 500 || [401, 403, 408, 429].includes(error.status))

/**
 * The first `bytes` of a file, through two buffers in turn: who asks for a piece has sent the one before the last. Fails when the
 * file is shorter.
 */
async function* piecesOf(path: string, bytes: number, onPiece: () => void): AsyncGenerator<Buffer> {
  const buffers = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)]
  const file = await open(path)
  try {
    for (let at = 0; at < bytes; ) {
      const [piece] = buffers.reverse() as [Buffer]
      const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, bytes - at), at)
      if (bytesRead === 0) throw new JobFailed(`${path} has ${at} of ${bytes} bytes.`)
      at += bytesRead
      onPiece()
      yield piece.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** Sends and fetches whole files. Nothing that stands still for `stallMs` is waited for, and no file is held in memory. */
export const makeStoreHttp = ({ stallMs }: { stallMs: number }) => {
  const dispatcher = new Agent({
    connect: { timeout: connectLimitMs },
    headersTimeout: stallMs,
    bodyTimeout: stallMs,
    keepAliveTimeout: 10_000,
  })

  /** Ends a try that makes no progress. */
  const watch = (signal: AbortSignal) => {
    const stalled = new AbortController()
    let timer: NodeJS.Timeout
    const moved = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => stalled.abort(new Error(`The store made no progress for ${stallMs / 1_000} s.`)), stallMs)
    }
    timer = setTimeout(() => undefined, 0)
    moved()
    return { moved, signal: AbortSignal.any([signal, stalled.signal]), end: () => clearTimeout(timer) }
  }

  const wordsOf = async (response: Dispatcher.ResponseData): Promise<string> => {
    const text = await response.body.text().catch(() => '')
    // S3 answers in XML: its message is what people can read.
    return (/<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? text).trim().slice(0, maxWords)
  }

  return {
    /** PUTs the file; answers its ETag. Reads it anew at every call. */
    put: async (url: URL, path: string, bytes: number, signal: AbortSignal): Promise<string> => {
      const watched = watch(signal)
      try {
        const headers = { 'content-length': String(bytes) }
        // The library takes any iterable, though its types do not say so.
        const body = piecesOf(path, bytes, watched.moved) as unknown as Readable
        const response = await request(url, { method: 'PUT', headers, body, signal: watched.signal, dispatcher })
        if (response.statusCode >= 300) throw new StoreRefused(response.statusCode, await wordsOf(response))
        await response.body.dump()
        const { etag } = response.headers
        return typeof etag === 'string' ? etag : ''
      } finally {
        watched.end()
      }
    },
    /** GETs the object from byte `from` on, piece by piece. `onStart` hears where the answer really begins. */
    get: async (
      url: URL,
      from: number,
      take: { onStart: (at: number) => Promise<void>; onPiece: (piece: Buffer) => Promise<void> },
      signal: AbortSignal,
    ): Promise<void> => {
      const watched = watch(signal)
      const collecting = makeCollecting()
      try {
        const headers = from > 0 ? { range: `bytes=${from}-` } : {}
        const response = await request(url, { method: 'GET', headers, signal: watched.signal, dispatcher })
        if (response.statusCode !== 200 && response.statusCode !== 206)
          throw new StoreRefused(response.statusCode, await wordsOf(response))
        await take.onStart(response.statusCode === 206 ? from : 0)
        for await (const piece of response.body) {
          watched.moved()
          await take.onPiece(piece as Buffer)
          collecting(piece.length)
        }
      } finally {
        watched.end()
      }
    },
    close: (): Promise<void> => dispatcher.destroy(),
  }
}
export type StoreHttp = ReturnType<typeof makeStoreHttp>
