import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFile,
  chmod,
  chown,
  lchown,
  link,
  lutimes,
  mkdir,
  mkdtemp,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileGlobs } from '../../../../host/backups/globs.ts'
import { packVolumes } from '../../../../host/backups/pack.ts'
import { unpack } from '../../../../host/backups/unpack.ts'
import type { Thing } from '../../../../host/backups/walk.ts'
import { treeOf } from '../../../support/tree.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'backups-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const isRoot = process.getuid?.() === 0

const pack = async (
  source: string,
  change: { include?: string[]; exclude?: string[]; onThing?: (thing: Thing) => unknown } = {},
) => {
  const pieces: Buffer[] = []
  const things: Thing[] = []
  const warnings: string[] = []
  await packVolumes([{ hostPath: source, at: 'data', given: '7:8' }], {
    isExcluded: compileGlobs(change.exclude ?? []),
    isIncluded: change.include ? compileGlobs(change.include) : null,
    gzipLevel: 1,
    warn: (text) => warnings.push(text),
    onThing: (thing) => {
      things.push({ ...thing, file: null })
      change.onThing?.(thing)
    },
    take: async (piece) => void pieces.push(piece),
    signal: new AbortController().signal,
  })
  const archive = join(dir, 'archive')
  await writeFile(archive, Buffer.concat(pieces))
  const contentBytes = things.reduce((sum, { bytes }) => sum + bytes, 0)
  const into = async (name: string, paths: string[] | null = null) => {
    await mkdir(join(dir, name))
    const limits = { contentBytes, entries: things.length }
    return unpack(archive, join(dir, name), { volumes: ['data'], paths, ...limits, signal: new AbortController().signal })
  }
  return { archive, things, warnings, contentBytes, into }
}

const nameArb = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
  fc.constantFrom('a', 'a.b', 'A', '.hidden', 'with space', 'new\nline', 'x'.repeat(255), 'ü'.repeat(100), '-rf', '=', '\\', '*'),
)
const isName = (name: string): boolean => !/[/\0]/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255
const usArb = fc.integer({ min: -2_000_000_000, max: 4_000_000_000 }).map((s) => s * 1e6 + Math.abs((s * 7919) % 1e6))
const attributesArb = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 1000, 65_534, 3_000_000),
  gid: fc.constantFrom(0, 1000, 3_000_000),
  us: usArb,
})
type Attributes = typeof attributesArb extends fc.Arbitrary<infer T> ? T : never
type Node =
  | { kind: 'file'; content: Uint8Array; size: number; attributes: Attributes }
  | { kind: 'link'; target: string; attributes: Attributes }
  | { kind: 'same'; attributes: Attributes }
  | { kind: 'directory'; children: [string, Node][]; attributes: Attributes }
const { tree: treeArb } = fc.letrec<{ tree: Node; node: Node }>((tie) => ({
  tree: fc.record({
    kind: fc.constant('directory' as const),
    children: fc.uniqueArray(fc.tuple(nameArb.filter(isName), tie('node')), {
      maxLength: 6,
      selector: ([name]) => name.normalize(),
    }),
    attributes: attributesArb,
  }),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      kind: fc.constant('file' as const),
      content: fc.uint8Array({ maxLength: 2_000 }),
      size: fc.constantFrom(0, 511, 512, 513, 262_144, 262_145, 700_000),
      attributes: attributesArb,
    }),
    fc.record({
      kind: fc.constant('link' as const),
      target: fc.constantFrom('a', '../a', '/etc/passwd', '../../../x', 'nowhere/'.repeat(40), 'ü'),
      attributes: attributesArb,
    }),
    fc.record({ kind: fc.constant('same' as const), attributes: attributesArb }),
    tie('tree'),
  ),
}))

const seconds = (us: number): number => (us + 0.5) / 1e6

const build = async (path: string, node: Node, files: string[]): Promise<void> => {
  const { uid, gid, mode, us } = node.attributes
  if (node.kind === 'link') {
    await symlink(node.target, path)
    await lchown(path, uid, gid)
    return lutimes(path, seconds(us), seconds(us))
  }
  if (node.kind === 'same') {
    const first = files[files.length - 1]
    if (first !== undefined) await link(first, path)
    return
  }
  if (node.kind === 'file') {
    await writeFile(path, node.content)
    await truncate(path, Math.max(node.size, node.content.length))
    files.push(path)
  } else {
    await mkdir(path)
    for (const [name, child] of node.children) await build(join(path, name), child, files)
  }
  await chown(path, uid, gid)
  await chmod(path, mode)
  await utimes(path, seconds(us), seconds(us))
}

describe.runIf(isRoot)('what was packed and is unpacked again', () => {
  it('is the same, byte for byte, whatever lies in a volume', async () => {
    await fc.assert(
      fc.asyncProperty(treeArb, async (tree) => {
        await rm(dir, { recursive: true, force: true })
        await mkdir(dir)
        await build(join(dir, 'source'), tree, [])
        const before = await treeOf(join(dir, 'source'))
        const { into, things, warnings } = await pack(join(dir, 'source'))
        expect((await into('there')).given).toEqual({ data: '7:8' })
        expect(await treeOf(join(dir, 'there', 'data'))).toEqual(before)
        expect(await treeOf(join(dir, 'source'))).toEqual(before)
        expect(warnings).toEqual([])
        const paths = things.map(({ path }) => path)
        expect(paths).toEqual(paths.toSorted((a, b) => (a < b ? -1 : 1)))
      }),
      { numRuns: 60 },
    )
  })
})

describe('a volume that is packed', () => {
  const volume = () => join(dir, 'source')
  beforeEach(() => mkdir(join(dir, 'source')))

  it('leaves out what is no file, directory or link, and says so', async () => {
    execFileSync('mkfifo', [join(volume(), 'pipe')])
    const server = createServer().listen(join(volume(), 'socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    await writeFile(Buffer.concat([Buffer.from(`${volume()}/`), Buffer.from([0xff, 0xfe])]), 'x')
    const { things, warnings } = await pack(volume())
    await new Promise((resolve) => server.close(resolve))
    expect(things.map(({ path }) => path)).toEqual(['data'])
    expect(warnings.toSorted()).toEqual([
      'data/pipe is left out: it is a fifo.',
      'data/socket is left out: it is a socket.',
      'data/ÿþ is left out: its name is not UTF-8.',
    ])
  })

  it('is whole though a file becomes shorter, goes away or turns into something else while it is read', async () => {
    await writeFile(join(volume(), 'a'), 'first')
    for (const name of ['b', 'c', 'd']) await writeFile(join(volume(), name), Buffer.alloc(1_000_000, name))
    await writeFile(join(dir, 'secret'), 'secret')
    const onThing = async ({ path }: Thing): Promise<void> => {
      if (path !== 'data/a') return
      await truncate(join(volume(), 'b'), 10)
    }
    // While `a` is told of, nothing else has been opened yet; what happens then is over before `c` is looked at.
    const { into, things } = await pack(volume(), {
      onThing: (thing) => {
        void onThing(thing)
        if (thing.path === 'data/a') execFileSync('sh', ['-c', `cd ${volume()} && rm c && rm d && ln -s ${dir}/secret d`])
      },
    })
    await into('there')
    const paths = things.map(({ path, kind }) => `${path} ${kind}`)
    expect(paths).toEqual(['data directory', 'data/a file', 'data/b file', 'data/d link'])
    expect((await treeOf(join(dir, 'there', 'data'))).length).toBe(4)
  })

  it('pads a file that is cut off under its reader', async () => {
    const large = join(volume(), 'large')
    await writeFile(large, randomBytes(20_000_000))
    const sizes: number[] = []
    const warnings: string[] = []
    let isCut = false
    await packVolumes([{ hostPath: volume(), at: 'data', given: null }], {
      isExcluded: () => false,
      isIncluded: null,
      gzipLevel: 1,
      warn: (text) => warnings.push(text),
      onThing: ({ bytes }) => sizes.push(bytes),
      take: async (piece) => {
        if (!isCut) await truncate(large, 1_000)
        isCut = true
        await appendFile(join(dir, 'archive'), piece)
      },
      signal: AbortSignal.timeout(15_000),
    })
    expect(sizes).toEqual([0, 20_000_000])
    expect(warnings).toEqual(['data/large became shorter while it was read: its end is zeros.'])
    await mkdir(join(dir, 'there'))
    const limits = { contentBytes: 20_000_000, entries: 2, signal: AbortSignal.timeout(15_000) }
    await unpack(join(dir, 'archive'), join(dir, 'there'), { volumes: ['data'], paths: null, ...limits })
    expect((await stat(join(dir, 'there', 'data', 'large'))).size).toBe(20_000_000)
  })

  it('takes what the globs say', async () => {
    for (const path of ['world/region', 'logs/old', 'cache']) await mkdir(join(volume(), path), { recursive: true })
    for (const path of ['world/region/r.0.0.mca', 'world/session.lock', 'logs/a.log', 'logs/old/b.log', 'cache/x', 'server.jar'])
      await writeFile(join(volume(), path), path)
    const taken = async (include: string[] | undefined, exclude: string[]): Promise<string[]> =>
      (await pack(volume(), { include, exclude })).things.flatMap(({ path, kind }) => (kind === 'file' ? [path.slice(5)] : []))
    expect(await taken(undefined, ['*.log', 'cache'])).toEqual(['server.jar', 'world/region/r.0.0.mca', 'world/session.lock'])
    expect(await taken(['world'], ['session.lock'])).toEqual(['world/region/r.0.0.mca'])
    expect(await taken(['/logs/*.log', 'wor*/**/*.{mca,dat}'], [])).toEqual(['logs/a.log', 'world/region/r.0.0.mca'])
    expect(await taken(['[!c]*/**'], ['logs/'])).toEqual(['world/region/r.0.0.mca', 'world/session.lock'])
  })
})
