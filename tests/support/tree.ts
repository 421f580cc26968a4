import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

const kindOf = (stats: BigIntStats): string => {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  return stats.isSymbolicLink() ? 'link' : 'other'
}

const contentOf = async (path: string, kind: string): Promise<string> => {
  if (kind === 'link') return readlink(path)
  if (kind !== 'file') return ''
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

/**
 * Everything in a directory, one line each: path, kind, mode, owner, time of change (to the microsecond), where a link leads,
 * which files are one, and what a file holds. Two trees are the same, byte for byte, when these are.
 */
export const treeOf = async (root: string): Promise<string[]> => {
  const lines: string[] = []
  const firstNames = new Map<string, string>()
  const look = async (at: string): Promise<void> => {
    const path = join(root, at)
    const stats = await lstat(path, { bigint: true })
    const id = `${stats.dev}:${stats.ino}`
    const kind = kindOf(stats)
    const same = kind === 'file' && stats.nlink > 1n ? (firstNames.get(id) ?? at) : ''
    if (kind === 'file') firstNames.set(id, firstNames.get(id) ?? at)
    const holds = await contentOf(path, kind)
    const us = stats.mtimeNs / 1_000n
    lines.push([at, kind, stats.mode.toString(8), `${stats.uid}:${stats.gid}`, us, same, holds].join(' | '))
    if (kind === 'directory') for (const name of (await readdir(path)).sort()) await look(at === '' ? name : `${at}/${name}`)
  }
  await look('')
  return lines
}
