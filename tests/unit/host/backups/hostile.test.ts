import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { unpack } from '../../../../host/backups/unpack.ts'
import { treeOf } from '../../../support/tree.ts'

let dir: string
let before: string[]
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hostile-'))
  await mkdir(join(dir, 'volume'))
  await mkdir(join(dir, 'into'), { mode: 0o700 })
  await writeFile(join(dir, 'volume', 'save'), 'save')
  before = await treeOf(join(dir, 'volume'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

type Entry = Partial<Header> & { name: string; content?: string }
const root: Entry = { name: 'data', type: 'directory' }
const inRoot = (...entries: Entry[]): Entry[] => [root, ...entries]

const archiveOf = async (entries: Entry[]): Promise<string> => {
  const made = pack()
  for (const { content, ...header } of entries) {
    if (header.type === undefined || header.type === 'contiguous-file') made.entry(header, content ?? 'content')
    else made.entry(header)
  }
  made.finalize()
  const path = join(dir, 'archive')
  await writeFile(path, gzipSync(await buffer(made as unknown as AsyncIterable<Buffer>)))
  return path
}
const limits = { volumes: ['data', 'volumes/maps'], paths: null, contentBytes: 1_000, entries: 10 }
const unpackIt = async (archive: string) =>
  unpack(archive, join(dir, 'into'), { ...limits, signal: new AbortController().signal })

const link = (name: string, linkname: string): Entry => ({ name, type: 'link', linkname })
const symlink = (name: string, linkname: string): Entry => ({ name, type: 'symlink', linkname })

it.each<[string, Entry[], RegExp]>([
  ['an absolute path', [{ name: '/tmp/hostile' }], /is an absolute path/],
  ['a path that leads up', inRoot({ name: 'data/../../hostile' }), /leads out of the archive/],
  ['a path that leads up at its end', inRoot({ name: 'data/..', type: 'directory' }), /leads out of the archive/],
  ['an empty name', inRoot({ name: 'data//x' }), /is no path/],
  ['a name of one dot', inRoot({ name: 'data/./x' }), /is no path/],
  ['something outside of the volumes', [{ name: 'elsewhere/x' }], /is not in a volume of the backup/],
  ['a volume that was not ordered', [{ name: 'volumes/other', type: 'directory' }], /is not in a volume of the backup/],
  ['a file where its volume should be', [{ name: 'data/x' }], /lies in what is no directory/],
  ['a file in the place of a volume', [{ name: 'data' }], /data is no directory/],
  ['a link in the place of a further volume', inRoot(symlink('volumes/maps', 'x')), /volumes\/maps is no directory/],
  ['a file in a file', inRoot({ name: 'data/x' }, { name: 'data/x/y' }), /lies in what is no directory/],
  [
    'a file through a link',
    inRoot(symlink('data/link', 'sub'), { name: 'data/sub', type: 'directory' }, { name: 'data/link/x' }),
    /data\/link\/x lies in what is no directory/,
  ],
  ['a link to an absolute path', inRoot(symlink('data/link', '/etc')), /is a link that leads out of its volume/],
  ['a link that leads up', inRoot(symlink('data/link', '../../volume')), /is a link that leads out of its volume/],
  ['a link into another volume', inRoot(symlink('data/link', '../volumes/maps/x')), /is a link that leads out of its volume/],
  ['a hard link to an absolute path', inRoot(link('data/x', '/etc/passwd')), /is an absolute path/],
  ['a hard link that leads up', inRoot(link('data/x', 'data/../../volume/save')), /leads out of the archive/],
  ['a hard link to what is not there', inRoot(link('data/x', 'data/y')), /which is no file of the archive/],
  ['a hard link to a link', inRoot(symlink('data/l', 'x'), link('data/x', 'data/l')), /which is no file of the archive/],
  [
    'a hard link through a link',
    inRoot({ name: 'data/a', type: 'directory' }, { name: 'data/a/f' }, symlink('data/l', 'a'), link('data/x', 'data/l/f')),
    /which is no file of the archive/,
  ],
  ['a block device', inRoot({ name: 'data/sda', type: 'block-device', devmajor: 8 }), /is a block-device/],
  ['a character device', inRoot({ name: 'data/mem', type: 'character-device', devmajor: 1, devminor: 1 }), /character-device/],
  ['a fifo', inRoot({ name: 'data/pipe', type: 'fifo' }), /is a fifo/],
  ['a kind of its own', inRoot({ name: 'data/x', type: 'contiguous-file' }), /is a contiguous-file/],
  ['a file twice', inRoot({ name: 'data/x' }, { name: 'data/x' }), /comes twice/],
  ['a directory twice', inRoot({ name: 'data/x', type: 'directory' }, { name: 'data/x/', type: 'directory' }), /comes twice/],
  ['a volume twice', [root, root], /comes twice/],
  ['a link in the place of a directory', inRoot({ name: 'data/x', type: 'directory' }, symlink('data/x', 'y')), /comes twice/],
  ['more bytes than were noted', inRoot({ name: 'data/x', content: 'x'.repeat(1_001) }), /makes it larger than was noted/],
  [
    'more things than were noted',
    inRoot(...Array.from({ length: 10 }, (_, i) => ({ name: `data/${i}`, type: 'directory' as const }))),
    /is more than was noted/,
  ],
  ['an owner that can not be', inRoot({ name: 'data/x', pax: { uid: '99999999999' } }), /belongs to nobody who can be/],
  ['a time that can not be', inRoot({ name: 'data/x', pax: { mtime: 'soon' } }), /has no time that can be/],
])('refuses an archive with %s, and touches nothing outside', async (_, entries, words) => {
  await expect(unpackIt(await archiveOf(entries))).rejects.toThrow(words)
  expect(await treeOf(join(dir, 'volume'))).toEqual(before)
  await expect(stat('/tmp/hostile')).rejects.toThrow('ENOENT')
  await expect(stat(join(dir, 'hostile'))).rejects.toThrow('ENOENT')
})

it('refuses a bomb long before it has grown, and what is no archive at all', async () => {
  const path = join(dir, 'archive')
  await writeFile(path, gzipSync(Buffer.alloc(200 * 1024 * 1024), { level: 1 }))
  await expect(unpackIt(path)).rejects.toThrow('larger than was noted')
  await writeFile(path, 'no archive')
  await expect(unpackIt(path)).rejects.toThrow(/^The archive can't be read/)
  const whole = await readFile(await archiveOf(inRoot({ name: 'data/x' })))
  await writeFile(path, whole.subarray(0, whole.length - 20))
  await expect(unpackIt(path)).rejects.toThrow(/^The archive can't be read/)
  const tar = gunzipSync(whole)
  await rm(join(dir, 'into'), { recursive: true })
  await mkdir(join(dir, 'into'))
  await writeFile(path, gzipSync(tar.subarray(0, 512 + 512 + 3)))
  await expect(unpackIt(path)).rejects.toThrow(/^The archive can't be read/)
  expect(await treeOf(join(dir, 'volume'))).toEqual(before)
})

it('takes one that is as it should be', async () => {
  const archive = await archiveOf([
    root,
    { name: 'data/x', content: 'x', mode: 0o640, pax: { mtime: '1500000000.5' } },
    symlink('data/to-x', 'x'),
    { name: 'volumes/maps', type: 'directory' },
    link('data/y', 'data/x'),
  ])
  expect((await unpackIt(archive)).volumes).toEqual(['data', 'volumes/maps'])
  const x = createHash('sha256').update('x').digest('hex')
  const tree = await treeOf(join(dir, 'into', 'data'))
  expect(tree).toContainEqual(expect.stringMatching(new RegExp(`^y \\| file \\| 100640 .* 1500000000500000 \\| x \\| ${x}$`)))
})
