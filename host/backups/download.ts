import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Logger } from '../../lib/process/logger.ts'
import type { Ask } from './ask.ts'
import { JobFailed } from './errors.ts'
import { resolveAddress, type StoreHttp } from './store-http.ts'
import { persist } from './upload.ts'

/**
 * Brings the archive of a restore to `path`, from where an earlier try has left it. A store that answers less than the whole is
 * asked for the rest; what is longer than it was when it was made is refused.
 */
export const download = async (options: {
  restoreId: string
  path: string
  sizeBytes: number
  ask: Ask
  http: StoreHttp
  doorUrl: string | undefined
  onBytes: (bytes: number) => void
  signal: AbortSignal
  logger: Logger
}): Promise<void> => {
  const { restoreId, path, sizeBytes, signal } = options
  const file = await open(path, 'a+', 0o600)
  try {
    let have = (await file.stat()).size
    const cutTo = async (at: number): Promise<void> => {
      if (at < have) await file.truncate(at)
      have = Math.min(have, at)
    }
    // More than it should be: of another try, or broken.
    if (have > sizeBytes) await cutTo(0)
    await persist("The archive can't be fetched", options, async () => {
      if (have === sizeBytes) return
      const { url } = await options.ask({ kind: 'restore.source', restoreId }, signal)
      const onPiece = async (piece: Buffer): Promise<void> => {
        if (have + piece.length > sizeBytes) throw new JobFailed(notIt(`more than ${sizeBytes} bytes`))
        await file.appendFile(piece)
        have += piece.length
        options.onBytes(have)
      }
      await options.http.get(resolveAddress(url, options.doorUrl), have, { onStart: cutTo, onPiece }, signal)
      if (have < sizeBytes) throw new Error(`The store sent ${have} of ${sizeBytes} bytes.`)
    })
  } finally {
    await file.close()
  }
}

const notIt = (what: string): string =>
  `The archive in the store is not the one that was backed up: it has ${what}. Nothing was changed.`

/** Fails unless the file's content is what was noted when the backup was made. */
export const verify = async (path: string, sha256: string, signal: AbortSignal): Promise<void> => {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafeSlow(1024 * 1024)
  const file = await open(path)
  try {
    for (;;) {
      signal.throwIfAborted()
      const { bytesRead } = await file.read(piece, 0, piece.length)
      if (bytesRead === 0) break
      hash.update(piece.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
  if (hash.digest('hex') !== sha256) throw new JobFailed(notIt('another SHA-256'))
}
