import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname } from 'node:path'
import type { z } from 'zod'

/** A password or key nobody has to type: 32 random bytes, URL-safe. */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

/** Reads a small JSON file of ours; undefined when it is missing or no longer fits its schema. */
export const readState = <T>(path: string, schema: z.ZodType<T>): T | undefined => {
  try {
    return schema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
  } catch {
    return undefined // not there, or torn by a full disk: made again
  }
}

/** Writes it so that a reader never sees half of it, readable by its owner only. */
export const writePrivate = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, text, { mode: 0o600 })
  renameSync(temporary, path)
}

/** Whether a TCP port of the loopback address can be listened on now. */
export const isPortFree = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })

/** Whether somebody listens on it. It does not take the port for a moment, as `isPortFree` does: who is about to gets it. */
export const isPortAnswered = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 1_000 })
    const answer = (is: boolean): void => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
    socket.once('timeout', () => answer(false))
  })

/**
 * Picks `count` free TCP ports. They come from 14000–14999, below the range that the kernel gives to outgoing
 * connections, so that a port remembered from the last run is still free at the next.
 */
export const pickPorts = async (count: number): Promise<number[]> => {
  const first = Math.floor(Math.random() * 1_000)
  const found: number[] = []
  for (let step = 0; step < 1_000 && found.length < count; step++) {
    const port = 14_000 + ((first + step) % 1_000)
    if (await isPortFree(port)) found.push(port)
  }
  if (found.length < count) throw new Error('no free TCP port between 14000 and 14999')
  return found
}
