import { type ImageFault, ImageUnavailable } from './errors.ts'

/** One line of Docker's answer to a pull. */
interface PullLine {
  id?: string
  status?: string
  progressDetail?: { current?: number; total?: number }
  error?: string
}

export interface PullProgress {
  /** What Docker does with the image's layers now, as it words it. */
  status: string
  /** Of the bytes known so far to be fetched; never goes back. Null before any size is known. */
  percent: number | null
  /** Fetched so far. */
  bytes: number
}

const faults: [RegExp, ImageFault, string][] = [
  [/no space left on device/i, 'DISK_FULL', 'the disk is full'],
  [/toomanyrequests|rate limit/i, 'RATE_LIMITED', 'the registry allows no more pulls for now'],
  [/no matching manifest/i, 'WRONG_PLATFORM', "there is none for this machine's platform"],
  [/pull access denied|repository does not exist/i, 'NOT_FOUND', 'there is no such image, or it needs a login'],
  [
    /unauthori[sz]ed|authentication required|no basic auth|access denied|forbidden/i,
    'UNAUTHORISED',
    'the registry refuses access',
  ],
  [/manifest unknown|not found|name unknown/i, 'NOT_FOUND', 'there is no such image'],
  [/invalid reference|invalid tag|invalid repository|must be lowercase/i, 'BAD_REFERENCE', 'that is not an image name'],
  [
    /dial tcp|no such host|connection refused|i\/o timeout|timeout exceeded|tls|EOF|no route to host|unreachable|server misbehaving|http: server gave/i,
    'UNREACHABLE',
    'the registry can not be reached',
  ],
]

/** A pull's failure as Docker words it, sorted by what an operator can do about it. */
export const pullFailure = (image: string, message: string, cause?: unknown): ImageUnavailable => {
  const known = faults.find(([pattern]) => pattern.test(message))
  const [, fault, words] = known ?? [null, 'OTHER' as const, 'the pull failed']
  return new ImageUnavailable(fault, `Image ${image}: ${words} (${message}).`, { cause })
}

/** Follows a pull through the lines of Docker's answer. `take` throws `ImageUnavailable` when a line says that it failed. */
export const makePullTracker = (image: string) => {
  const layers = new Map<string, { current: number; total: number }>()
  let highest: number | null = null

  const percentNow = (): number | null => {
    let current = 0
    let total = 0
    for (const layer of layers.values()) {
      current += layer.current
      total += layer.total
    }
    if (total === 0) return highest
    highest = Math.max(highest ?? 0, Math.floor((100 * current) / total))
    return highest
  }

  const bytesNow = (): number => [...layers.values()].reduce((sum, { current }) => sum + current, 0)

  const note = (line: PullLine): void => {
    const { id, status, progressDetail } = line
    if (id === undefined) return
    if (status === 'Downloading' && progressDetail?.total) {
      layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total })
    }
    const layer = layers.get(id)
    if (layer !== undefined && status !== 'Downloading') layer.current = layer.total
  }

  return {
    take(text: string): PullProgress {
      const line = JSON.parse(text) as PullLine
      if (line.error !== undefined) throw pullFailure(image, line.error)
      note(line)
      return { status: line.status ?? '', percent: percentNow(), bytes: bytesNow() }
    },
  }
}
