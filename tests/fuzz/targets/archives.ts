import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { type Header, pack } from 'tar-stream'
import { JobFailed } from '../../../host/backups/errors.ts'
import { unpack } from '../../../host/backups/unpack.ts'
import { nearlyBytes } from '../mutate.ts'
import { holds, makeTarget, type Outcome } from '../target.ts'

type Entry = Partial<Header> & { name: string; content: string }

const names = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.constantFrom(
      'data/a',
      'data/b',
      'data/dir',
      'data/dir/c',
      'data/dir/link/d',
      'data/l',
      'volumes/maps',
      'volumes/maps/x',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'data/../../escape',
      '/tmp/manman-fuzz-escape',
      'data//x',
      'data/./y',
      'elsewhere/x',
      'data/a/b',
      '../escape',
      'data/a\\..\\b',
      'volumes/../x',
      'data/é',
      `data/${'n'.repeat(150)}`,
    ),
  },
)
const targets = fc.constantFrom(
  'a',
  'dir',
  '../a',
  '../../escape',
  '/etc/passwd',
  'data/a',
  'data/dir/c',
  'data/../../outside/save',
  '../volumes/maps',
  '',
)
const type = fc.oneof(
  { weight: 6, arbitrary: fc.constant('file' as const) },
  { weight: 5, arbitrary: fc.constantFrom<Header['type']>('directory', 'symlink', 'link') },
  { weight: 1, arbitrary: fc.constantFrom<Header['type']>('fifo', 'block-device', 'contiguous-file') },
)
const pax = fc.option(
  fc.dictionary(
    fc.constantFrom('uid', 'gid', 'mtime', 'size', 'path', 'linkpath', 'MANMAN.given', 'MANMAN.outward'),
    fc.constantFrom('0', '1', '1000', '-1', '99999999999', 'x', '1500000000.5', '0:0', '../../escape', 'data/p'),
    { maxKeys: 2 },
  ),
  { nil: undefined, freq: 1 },
)
const entry: fc.Arbitrary<Entry> = fc.record({
  name: names,
  type,
  linkname: targets,
  content: fc.constantFrom('', 'save', 'x'.repeat(600), 'x'.repeat(3_000)),
  mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o000, 0o7777),
  pax: pax as fc.Arbitrary<Record<string, string>>,
})
const root = { name: 'data', type: 'directory' as const, content: '' }

const tarOf = (entries: readonly Entry[]): Promise<Buffer> => {
  const made = pack()
  for (const { content, ...header } of entries) {
    if (header.type === 'file' || header.type === 'contiguous-file') made.entry(header, content)
    else made.entry(header)
  }
  made.finalize()
  return buffer(made as unknown as AsyncIterable<Buffer>)
}

interface Case {
  entries: Entry[]
  hasRoot: boolean
  /** Before it is packed, or of what is packed; where, in millionths, and the byte there. */
  breaks: readonly { where: 'tar' | 'gzip'; at: number; byte: number }[]
  cut: number | null
}
const far = 1_000_000
const archive: fc.Arbitrary<Case> = fc.record({
  entries: fc.array(entry, { maxLength: 5 }),
  hasRoot: fc.constantFrom(true, true, true, true, false),
  breaks: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 2,
      arbitrary: fc.array(
        fc.record({
          where: fc.constantFrom('tar' as const, 'tar' as const, 'gzip' as const),
          at: fc.nat(far),
          byte: fc.nat(255),
        }),
        { maxLength: 3 },
      ),
    },
  ),
  cut: fc.option(fc.nat(far), { freq: 1, nil: null }).map((at) => (at !== null && at % 8 === 0 ? at : null)),
})

const broken = (bytes: Buffer, where: 'tar' | 'gzip', breaks: Case['breaks']): Buffer => {
  const copy = Buffer.from(bytes)
  for (const one of breaks) if (one.where === where) copy[Math.floor((one.at / far) * (copy.length - 1))] = one.byte
  return copy
}

const bytesOf = async ({ entries, hasRoot, breaks, cut }: Case): Promise<Buffer> => {
  const tar = broken(await tarOf(hasRoot ? [root, ...entries] : entries), 'tar', breaks)
  const packed = broken(gzipSync(tar, { level: 1 }), 'gzip', breaks)
  return cut === null ? packed : packed.subarray(0, Math.floor((cut / far) * packed.length))
}

const limits = { volumes: ['data', 'volumes/maps'], paths: null, contentBytes: 4_000, entries: 6 }
let place: { base: string; before: string } | undefined

const seen = (base: string): string =>
  JSON.stringify([
    readdirSync(base).sort(),
    readdirSync(join(base, 'outside')),
    statSync(join(base, 'outside/save')).mtimeMs,
    statSync(join(base, 'outside')).mtimeMs,
    statSync(join(base, 'outside/save')).nlink,
  ])

const sizeOf = async (directory: string): Promise<{ bytes: number; things: number }> => {
  const all = readdirSync(directory, { recursive: true }) as string[]
  const stats = await Promise.all(all.map((name) => lstat(join(directory, name))))
  return { bytes: stats.reduce((sum, one) => sum + (one.isFile() ? one.size / one.nlink : 0), 0), things: all.length }
}

const unpackOne = async (bytes: Buffer, paths: readonly string[] | null): Promise<Outcome> => {
  if (!place) {
    const base = mkdtempSync(join(tmpdir(), 'manman-fuzz-'))
    mkdirSync(join(base, 'outside'))
    writeFileSync(join(base, 'outside/save'), 'save')
    mkdirSync(join(base, 'into'))
    writeFileSync(join(base, 'archive'), '')
    place = { base, before: seen(base) }
  }
  const { base, before } = place
  const into = join(base, 'into')
  mkdirSync(into, { recursive: true })
  writeFileSync(join(base, 'archive'), bytes)
  let outcome: Outcome = 'accepted'
  try {
    await unpack(join(base, 'archive'), into, { ...limits, paths, signal: new AbortController().signal })
  } catch (error) {
    if (!(error instanceof JobFailed)) throw error
    outcome = 'refused'
  }
  const { bytes: written, things } = await sizeOf(into)
  rmSync(into, { recursive: true })
  mkdirSync(into)
  holds(written <= limits.contentBytes, 'no more bytes are written than were noted')
  holds(things <= limits.entries + 1, 'no more things are made than were noted')
  holds(seen(base) === before, 'nothing outside is touched')
  return outcome
}
const close = async (): Promise<void> => {
  if (place) rmSync(place.base, { recursive: true, force: true })
  place = undefined
}

/** Archives are unpacked within their limits and their directory, or refused with a reason for people. */
export const archives = makeTarget(
  'archives',
  fc.tuple(archive, fc.constantFrom(null, null, null, ['data/dir'], ['data/a', 'volumes/maps'])),
  async ([made, paths]) => unpackOne(await bytesOf(made), paths),
  { close },
)

const good = await tarOf([
  root,
  { name: 'data/dir', type: 'directory', content: '' },
  { name: 'data/dir/c', type: 'file', content: 'x'.repeat(700), pax: { mtime: '1500000000.5' } },
  { name: 'data/l', type: 'symlink', linkname: 'dir', content: '' },
])

/** The same of bytes that were an archive. */
export const archiveBytes = makeTarget(
  'archive-bytes',
  nearlyBytes(fc.constant(good)),
  async (tar) => unpackOne(gzipSync(tar, { level: 1 }), null),
  { close, share: 0.2 },
)
