import { rename as fsRename, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Order } from '../../../../host/backups/job-record.ts'
import { planSwap, stagingOf, swapBack, swapForward } from '../../../../host/backups/swap.ts'
import { givenTo, noteGiven } from '../../../../host/docker/volumes.ts'
import { newId } from '../../../../lib/process/new-id.ts'
import { treeOf } from '../../../support/tree.ts'

let dataDir: string
const id = newId()
const deployment = newId()
const base = `gsc-test-${deployment}`

const order = (paths: string[] | null): Order<'restore'> => ({
  kind: 'restore',
  restoreId: id,
  backupId: newId(),
  serverGameConfigId: deployment,
  environment: 'test',
  volumes: ['maps'],
  paths,
  sizeBytes: 1,
  sha256: '0'.repeat(64),
  contentBytes: 1,
  entries: 1,
})

const fill = async (root: string, files: Record<string, string>): Promise<void> => {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), content)
    await utimes(join(root, path, '..'), 1_000_000_000, 1_000_000_000)
  }
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'swap-'))
  await fill(join(dataDir, base), { 'world/level': 'old', 'world/only-old': 'x', other: 'old' })
  await fill(stagingOf(dataDir, id), {
    'data/world/level': 'new',
    'data/world/new': 'new',
    'data/fresh/deep/x': 'new',
    'volumes/maps/m': 'new',
  })
  await noteGiven(join(dataDir, base), '5:5')
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const volumes = async () => {
  const maps = await treeOf(join(dataDir, `${base}.maps`)).catch(() => null)
  return { data: await treeOf(join(dataDir, base)), maps }
}
const unpacked = { volumes: ['data', 'volumes/maps'], given: { data: '1000:1000' } }
const partial = ['data/world', 'data/fresh/deep/x']

/** Renames that come to an end, the last of them or none behind `count`. */
const dying = (count: number) => {
  let left = count
  return async (from: string, to: string): Promise<void> => {
    if (left-- <= 0) throw new Error('killed')
    await fsRename(from, to)
  }
}

describe.each([
  ['of whole volumes', null, 3],
  ['of single paths', partial, 3],
] as const)('a swap %s', (_, paths, renames) => {
  const plan = () => planSwap(dataDir, order(paths && [...paths]), unpacked)

  it('comes to the same end wherever it was interrupted', async () => {
    const staged = await treeOf(join(stagingOf(dataDir, id), 'data', 'world'))
    const swap = await plan()
    for (let count = 0; count < renames; count++)
      await expect(swapForward(dataDir, id, swap, dying(count === 0 ? 0 : 1))).rejects.toThrow('killed')
    await swapForward(dataDir, id, swap)
    await swapForward(dataDir, id, swap)
    expect(await treeOf(join(dataDir, base, 'world'))).toEqual(staged)
    const { data, maps } = await volumes()
    expect(data.some((line) => line.startsWith('other |'))).toBe(paths !== null)
    expect(data.some((line) => line.startsWith('fresh/deep/x | file'))).toBe(true)
    expect(maps === null).toBe(paths !== null)
    expect(await givenTo(join(dataDir, base))).toBe(paths === null ? '1000:1000' : '5:5')
  })

  it.each(Array.from({ length: renames + 1 }, (_, n) => n))(
    'is taken back after %d renames, wherever that is interrupted',
    async (done) => {
      const before = await volumes()
      const swap = await plan()
      if (done < renames) await expect(swapForward(dataDir, id, swap, dying(done))).rejects.toThrow('killed')
      else await swapForward(dataDir, id, swap)
      for (let count = 0; count < renames; count++) await swapBack(dataDir, id, swap, dying(count)).catch(() => undefined)
      await swapBack(dataDir, id, swap)
      await swapBack(dataDir, id, swap)
      expect(await volumes()).toEqual(before)
    },
  )
})

it('is not planned through a link of the game', async () => {
  await rm(join(dataDir, base, 'world'), { recursive: true })
  await symlink('/tmp', join(dataDir, base, 'world'))
  await expect(planSwap(dataDir, order(['data/world/level']), unpacked)).rejects.toThrow(
    'a symbolic link where a directory must be',
  )
})
