import type { Readable } from 'node:stream'
import { NotFound } from '../../lib/domain/errors.ts'
import { registryOf } from '../../lib/domain/images.ts'
import type { RegistryLogin } from '../../lib/messages/session-spec.ts'
import type { DockerClients } from './client.ts'
import { ask, dockerMessage, dockerStatus, ImageUnavailable, isAbort, translateDockerError } from './errors.ts'
import { jsonLines } from './json-lines.ts'
import { makePullTracker, type PullProgress, pullFailure } from './pull-progress.ts'

interface ImageInfo {
  /** Digest of the image's configuration, `sha256:…`: the same image has the same everywhere. */
  id: string
  /** The image's USER; empty for root. */
  user: string
  sizeBytes: number
}

interface EnsuredImage {
  image: ImageInfo
  /** It was fetched now. */
  pulled: boolean
  /** Why the image that was here already is used although a newer one was to be fetched. */
  staleBecause: ImageUnavailable | null
}

export interface Images {
  /** The image on this machine; null when it is not here. */
  inspect(ref: string): Promise<ImageInfo | null>
  /**
   * Makes the image present: `IF_MISSING` takes what is here, `ALWAYS` asks the registry and falls back to what is here.
   * Everyone who wants the same image with the same login at the same time shares one pull; it is given up when all their
   * signals aborted. Takes as long as it makes progress. Fails with `ImageUnavailable`.
   */
  ensure(options: {
    ref: string
    policy: 'IF_MISSING' | 'ALWAYS'
    /** At the image's registry; null where it needs none. */
    login?: RegistryLogin | null
    onProgress?: (progress: PullProgress) => void
    signal: AbortSignal
  }): Promise<EnsuredImage>
  /** Pulls: under way now, and since start those done, failed (given up included), and bytes fetched. */
  counters(): { running: number; done: number; failed: number; bytes: number }
}

/** What is pulled, and as whom. */
interface Wanted {
  ref: string
  login: RegistryLogin | null
}

interface Pull {
  done: Promise<void>
  listeners: Set<(progress: PullProgress) => void>
  waiting: number
  abort: AbortController
}

const reference = /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/
const defaultStallMs = 5 * 60_000

/** Rejects when the signal aborts, without ending the work others wait for. */
const orAbort = async (work: Promise<void>, signal: AbortSignal): Promise<void> => {
  let onAbort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

export const makeImages = (options: { clients: DockerClients; stallMs?: number }): Images => {
  const { calls, streams } = options.clients
  const stallMs = options.stallMs ?? defaultStallMs
  const pulls = new Map<string, Pull>()
  const counters = { done: 0, failed: 0, bytes: 0 }

  const inspect = async (ref: string): Promise<ImageInfo | null> => {
    // It becomes part of a URL: what no reference holds must not reach another of Docker's endpoints.
    if (!reference.test(ref) || ref.includes('..')) throw pullFailure(ref, 'invalid reference format')
    try {
      const image = await ask('image', ref, () => calls.getImage(ref).inspect())
      return { id: image.Id, user: image.Config?.User ?? '', sizeBytes: image.Size }
    } catch (error) {
      if (error instanceof NotFound) return null
      throw error
    }
  }

  const open = async ({ ref, login }: Wanted, signal: AbortSignal): Promise<Readable> => {
    const authconfig = login ? { ...login, serveraddress: registryOf(ref) } : undefined
    try {
      return (await streams.pull(ref, { abortSignal: signal, authconfig })) as Readable
    } catch (error) {
      // A reply means that the engine is there and the registry was the trouble.
      if (dockerStatus(error) !== null) throw pullFailure(ref, dockerMessage(error), error)
      throw translateDockerError(error, 'image', ref)
    }
  }

  const run = async (wanted: Wanted, listeners: Pull['listeners'], abort: AbortController): Promise<void> => {
    const { ref } = wanted
    let stalled = false
    const stall = setTimeout(() => {
      stalled = true
      abort.abort()
    }, stallMs)
    try {
      const stream = await open(wanted, abort.signal)
      const tracker = makePullTracker(ref)
      let fetched = 0
      for await (const line of jsonLines(stream)) {
        stall.refresh()
        const progress = tracker.take(line)
        counters.bytes += Math.max(0, progress.bytes - fetched)
        fetched = Math.max(fetched, progress.bytes)
        for (const listener of listeners) listener(progress)
      }
      counters.done++
    } catch (error) {
      counters.failed++
      if (stalled)
        throw new ImageUnavailable('UNREACHABLE', `Image ${ref}: nothing came for ${stallMs / 1000} s.`, { cause: error })
      throw isAbort(error) ? error : translateDockerError(error, 'image', ref)
    } finally {
      clearTimeout(stall)
    }
  }

  const begin = (key: string, wanted: Wanted): Pull => {
    const listeners: Pull['listeners'] = new Set()
    const abort = new AbortController()
    const done = run(wanted, listeners, abort).finally(() => {
      if (pulls.get(key) === pull) pulls.delete(key)
    })
    const pull: Pull = { listeners, waiting: 0, abort, done }
    // Everyone waiting may have left; nobody is then left to hear of the failure.
    done.catch(() => undefined)
    pulls.set(key, pull)
    return pull
  }

  const pull = async (
    wanted: Wanted,
    onProgress: ((progress: PullProgress) => void) | undefined,
    signal: AbortSignal,
  ): Promise<void> => {
    signal.throwIfAborted()
    // A wrong login must not fail those who have the right one.
    const key = JSON.stringify(wanted)
    const shared = pulls.get(key) ?? begin(key, wanted)
    shared.waiting++
    if (onProgress) shared.listeners.add(onProgress)
    try {
      await orAbort(shared.done, signal)
    } finally {
      if (onProgress) shared.listeners.delete(onProgress)
      shared.waiting--
      if (shared.waiting === 0) {
        // Whoever comes now begins anew instead of joining a pull that is being given up.
        if (pulls.get(key) === shared) pulls.delete(key)
        shared.abort.abort()
      }
    }
  }

  const present = async (ref: string): Promise<ImageInfo> => {
    const image = await inspect(ref)
    if (image === null) throw new ImageUnavailable('OTHER', `Image ${ref} was pulled and is not there: something removes it.`)
    return image
  }

  return {
    inspect,
    counters: () => ({ running: pulls.size, ...counters }),
    async ensure({ ref, policy, login = null, onProgress, signal }) {
      const known = await inspect(ref)
      if (known !== null && policy === 'IF_MISSING') return { image: known, pulled: false, staleBecause: null }
      try {
        await pull({ ref, login }, onProgress, signal)
        return { image: await present(ref), pulled: true, staleBecause: null }
      } catch (error) {
        if (known === null || !(error instanceof ImageUnavailable)) throw error
        return { image: known, pulled: false, staleBecause: error }
      }
    },
  }
}
