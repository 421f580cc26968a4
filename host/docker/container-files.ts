import type { Readable } from 'node:stream'
import { NotFound } from '../../lib/domain/errors.ts'
import type { DockerClients } from './client.ts'
import { ask } from './errors.ts'

/** What a path is in a container's file system. */
interface FileStat {
  isDirectory: boolean
  isSymlink: boolean
  /** Permission bits. */
  mode: number
  linkTarget: string
}

/** Looks into the file system of a container that need not run. Nothing there is null. */
export interface ContainerFiles {
  stat(containerId: string, path: string): Promise<FileStat | null>
  /** A small text file; longer than 1 MiB throws. */
  readText(containerId: string, path: string): Promise<string | null>
}

const tarBlock = 512
const maxFileBytes = 1 << 20
/** Bits of Go's file mode, in which Docker answers. */
const goDirectory = 2 ** 31
const goSymlink = 2 ** 27

const hasBit = (mode: number, bit: number): boolean => Math.floor(mode / bit) % 2 === 1

const collect = async (stream: Readable): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxFileBytes + 4 * tarBlock) throw new Error('The file is too large to be read from a container.')
  }
  return Buffer.concat(chunks)
}

/** The first file of a tar archive. */
const firstFile = (archive: Buffer): string => {
  const size = Number.parseInt(archive.toString('latin1', 124, 136), 8)
  return Number.isNaN(size) ? '' : archive.toString('utf8', tarBlock, tarBlock + size)
}

const orNull = async <T>(work: Promise<T>): Promise<T | null> => {
  try {
    return await work
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

export const makeContainerFiles = (options: { clients: DockerClients }): ContainerFiles => {
  const { calls } = options.clients

  const statOf = async (containerId: string, path: string): Promise<FileStat> => {
    const reply = (await ask('file', path, () => calls.getContainer(containerId).infoArchive({ path }))) as Readable & {
      headers: Record<string, string | undefined>
    }
    reply.resume()
    const header = Buffer.from(reply.headers['x-docker-container-path-stat'] ?? '', 'base64').toString()
    const { mode, linkTarget } = JSON.parse(header) as { mode: number; linkTarget?: string }
    return {
      isDirectory: hasBit(mode, goDirectory),
      isSymlink: hasBit(mode, goSymlink),
      mode: mode % 0o1000,
      linkTarget: linkTarget ?? '',
    }
  }

  const read = async (containerId: string, path: string): Promise<string> => {
    const stream = await ask('file', path, () => calls.getContainer(containerId).getArchive({ path }))
    return firstFile(await collect(stream as Readable))
  }

  return {
    stat: (containerId, path) => orNull(statOf(containerId, path)),
    async readText(containerId, path) {
      const stat = await orNull(statOf(containerId, path))
      // Docker archives a link as a link; its target is what we want.
      return stat === null ? null : orNull(read(containerId, stat.isSymlink && stat.linkTarget !== '' ? stat.linkTarget : path))
    },
  }
}
