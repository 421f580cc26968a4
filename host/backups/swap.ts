import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { rename as fsRename, lstat, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { noteGiven } from '../docker/volumes.ts'
import { codeOf } from '../files/errors.ts'
import { openDirectory, openVolume, using } from '../files/inside.ts'
import { directoryOf, secondsOf, volumeOf } from './archive.ts'
import type { Order, Swap } from './job-record.ts'
import type { Unpacked } from './unpack.ts'

const run = promisify(execFile)
type Rename = (from: string, to: string) => Promise<void>
type Move = Swap['moves'][number]

/** What was unpacked and waits to take its place; and what was in that place. Beside the volumes: a rename brings each over. */
export const stagingOf = (dataDir: string, id: string): string => join(dataDir, `.restore-${id}`)
export const oldOf = (dataDir: string, id: string): string => join(dataDir, `.old-${id}`)

/**
 * What has to be renamed so that what was unpacked takes its place: whole volumes, or for single paths the first thing of each
 * that is not there yet, else the path itself. Links of the game's are in nobody's way: they are not followed, and fail it.
 */
export const planSwap = async (dataDir: string, order: Order<'restore'>, unpacked: Unpacked): Promise<Swap> => {
  const whole = unpacked.volumes.filter((volume) => order.paths?.includes(volume) ?? true)
  const given = whole.map((volume) => ({ directory: directoryOf(order, volume), to: unpacked.given[volume] ?? null }))
  const moves = new Map<string, Move>()
  for (const wanted of order.paths === null ? unpacked.volumes : outermost(order.paths)) {
    const move = await using(await openVolume(dataDir), (root) => planMove(root, order, wanted))
    moves.set(move.from, move)
  }
  return { moves: [...moves.values()], given, direction: 'forward' }
}

/** Without those that lie in another one. */
const outermost = (paths: readonly string[]): string[] =>
  paths.filter((path) => !paths.some((other) => other !== path && path.startsWith(`${other}/`)))

type Directory = Awaited<ReturnType<typeof openVolume>>

const mtimeUsOf = async (directory: Directory): Promise<number> =>
  Number((await directory.stat({ bigint: true })).mtimeNs / 1_000n)

const planMove = async (root: Directory, order: Order<'restore'>, wanted: string): Promise<Move> => {
  const volume = volumeOf(wanted) ?? wanted
  const below = wanted === volume ? [] : wanted.slice(volume.length + 1).split('/')
  const names = [directoryOf(order, volume), ...below]
  /** At `names[depth]`, seen from the directory it lies in. */
  const step = async (parent: Directory, depth: number): Promise<Move> => {
    const here: Move = {
      from: [volume, ...below.slice(0, depth)].join('/'),
      to: names.slice(0, depth + 1),
      parentMtimeUs: await mtimeUsOf(parent),
    }
    if (depth === names.length - 1) return here
    const shown = names.slice(0, depth + 1).join('/')
    const next = await openDirectory(parent, names[depth]!, shown)
    return next === null ? here : using(next, (opened) => step(opened, depth + 1))
  }
  return step(root, 0)
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error) => {
      if (codeOf(error) !== 'ENOENT') throw error
      return false
    },
  )

/** Opens the directory that a move goes into, one name after the other and through no link. */
const inParent = async <T>(
  dataDir: string,
  { to }: Move,
  work: (parent: Directory, target: string) => Promise<T>,
): Promise<T> => {
  const step = async (parent: Directory, depth: number): Promise<T> => {
    if (depth === to.length - 1) return work(parent, `/proc/self/fd/${parent.fd}/${to[depth]}`)
    const next = await openDirectory(parent, to[depth]!, to.slice(0, depth + 1).join('/'))
    if (next === null) throw new Error(`${to.slice(0, depth + 1).join('/')} went away`)
    return using(next, (opened) => step(opened, depth + 1))
  }
  return using(await openVolume(dataDir), (root) => step(root, 0))
}

/**
 * Puts what was unpacked in its place, and what was there aside. May be interrupted anywhere and called again: what is still
 * beside is still to be put in place.
 */
export const swapForward = async (dataDir: string, id: string, swap: Swap, rename: Rename = fsRename): Promise<void> => {
  const [staging, old] = [stagingOf(dataDir, id), oldOf(dataDir, id)]
  await mkdir(old, { recursive: true, mode: 0o700 })
  for (const [number, move] of swap.moves.entries()) {
    const from = join(staging, move.from)
    if (!(await isThere(from))) continue
    await inParent(dataDir, move, async (parent, target) => {
      const aside = join(old, String(number))
      if (await isThere(target)) await rename(target, (await isThere(aside)) ? `${aside}.${randomUUID()}` : aside)
      await rename(from, target)
      await parent.sync()
    })
  }
  for (const { directory, to } of swap.given) await noteGiven(join(dataDir, directory), to)
  for (const directory of [old, staging, dataDir]) await syncDirectory(directory)
}

/** Puts everything back as it was before `swapForward`. May be interrupted anywhere and called again. */
export const swapBack = async (dataDir: string, id: string, swap: Swap, rename: Rename = fsRename): Promise<void> => {
  const [staging, old] = [stagingOf(dataDir, id), oldOf(dataDir, id)]
  for (const [number, move] of [...swap.moves.entries()].reverse()) {
    const from = join(staging, move.from)
    const aside = join(old, String(number))
    await inParent(dataDir, move, async (parent, target) => {
      if (!(await isThere(from))) {
        await mkdir(dirname(from), { recursive: true })
        await rename(target, from)
      }
      if (await isThere(aside)) await rename(aside, target)
      if (move.to.length > 1) await parent.utimes(secondsOf(move.parentMtimeUs), secondsOf(move.parentMtimeUs))
      await parent.sync()
    })
  }
  await syncDirectory(dataDir)
}

const syncDirectory = async (path: string): Promise<void> => {
  if (await isThere(path)) await using(await openVolume(path), (directory) => directory.sync())
}

/** Has all that was written to this disk on it: much quicker than file by file. */
export const syncDisk = async (directory: string): Promise<void> => {
  await run('sync', ['-f', directory]).catch(() => run('sync')) // some know no option
}
