import { randomFillSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte
const pageBytes = 4 * kibibyte

/** Sizes of a game's files, and how many of the bytes are in such files: settings and player data, map regions, archives. */
const kinds = [
  { directory: 'players', bytes: 6 * kibibyte, share: 0.02, page: text },
  { directory: 'settings', bytes: 48 * kibibyte, share: 0.03, page: text },
  { directory: 'world/region', bytes: 6 * mebibyte, share: 0.75, page: region },
  { directory: 'mods', bytes: 96 * mebibyte, share: 0.2, page: noise },
] as const

/** Fills a directory with about `bytes` of files as games have them: about half of them is left when they are compressed. */
export const fillVolume = (directory: string, bytes: number): { files: number; bytes: number } => {
  let files = 0
  let written = 0
  for (const kind of kinds) {
    for (let left = bytes * kind.share, index = 0; left > 0; left -= kind.bytes, index++) {
      const folder = join(directory, kind.directory, String(Math.floor(index / 500)))
      mkdirSync(folder, { recursive: true })
      const size = Math.min(kind.bytes, Math.ceil(left))
      writeFileSync(join(folder, `file-${index}`), contentOf(size, kind.page))
      files++
      written += size
    }
  }
  return { files, bytes: written }
}

type Page = (into: Buffer, number: number) => void

const contentOf = (size: number, page: Page): Buffer => {
  const content = Buffer.alloc(size)
  for (let at = 0, number = 0; at < size; at += pageBytes, number++) page(content.subarray(at, at + pageBytes), number)
  return content
}

function text(into: Buffer, number: number): void {
  into.fill(`"player-${number}": { "uuid": "${number * 7919}", "level": ${number % 100}, "online": false },\n`)
  randomFillSync(into, 0, Math.min(into.length, 256))
}

/** Chunks that are compressed already, others that are not, and nothing in between. */
function region(into: Buffer, number: number): void {
  if (number % 4 === 0) return
  if (number % 2 === 0) text(into, number)
  else randomFillSync(into)
}

function noise(into: Buffer): void {
  randomFillSync(into)
}
