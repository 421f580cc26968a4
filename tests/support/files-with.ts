import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The files below a directory whose bytes hold any of the texts. */
export const filesWith = async (directory: string, texts: readonly string[]): Promise<string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const found = await Promise.all(
    paths.map(async (path) => {
      // What is written anew lies beside its file for a moment.
      const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return Buffer.alloc(0)
        throw error
      })
      return texts.some((text) => content.includes(text)) ? [path] : []
    }),
  )
  return found.flat()
}

/** A secret as it could show somewhere: as it is, and as JSON, properties, addresses, base64 and hex would carry it. */
export const formsOf = (secret: string): string[] => {
  const bytes = Buffer.from(secret)
  // Without its ends, which depend on what stands beside it.
  const base64 = [0, 1, 2].map((skip) => bytes.subarray(skip).toString('base64').slice(4, -4))
  const inAscii = secret.replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return [secret, inAscii, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), bytes.toString('hex'), ...base64]
}
