import { lchown, lstat, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Unavailable } from '../../lib/domain/errors.ts'
import type { SessionSpec } from '../../lib/messages/session-spec.ts'
import type { VolumeMount } from './container-spec.ts'
import type { FileOwner } from './passwd.ts'

const safeName = /^[A-Za-z0-9][A-Za-z0-9_-]*$/

/**
 * The directories of a deployment under `dataDir`: `gsc-{env}-{sgcId}`, and for each further volume one beside it. Beside
 * and not inside, where a game could put a link in its place and have another directory of the machine mounted. Pure.
 */
export const volumeMounts = (options: {
  dataDir: string
  environment: string
  sgcId: string
  spec: Pick<SessionSpec, 'volumePath' | 'volumes'>
}): VolumeMount[] => {
  const base = `gsc-${options.environment}-${options.sgcId}`
  const own = { hostPath: path.join(options.dataDir, base), mountPath: options.spec.volumePath, readOnly: false }
  const further = options.spec.volumes.map((volume) => {
    if (!safeName.test(volume.name)) throw new TypeError(`Not a volume's name: ${volume.name}`)
    return {
      hostPath: path.join(options.dataDir, `${base}.${volume.name}`),
      mountPath: volume.mountPath,
      readOnly: volume.readOnly,
    }
  })
  return [own, ...further]
}

/** Makes the directories, which must lie in `dataDir` itself and be no links. Those that are there stay as they are. */
export const makeVolumes = async (dataDir: string, mounts: readonly VolumeMount[]): Promise<void> => {
  await mkdir(dataDir, { recursive: true })
  const root = await realpath(dataDir)
  for (const { hostPath } of mounts) {
    await mkdir(hostPath, { recursive: true })
    if ((await realpath(hostPath)) !== path.join(root, path.basename(hostPath))) {
      throw new Unavailable(`The volume ${hostPath} leads out of the data directory.`)
    }
  }
}

const give = async (target: string, owner: FileOwner): Promise<void> => {
  const now = await lstat(target)
  // What is so already keeps its time of change: backups go by it.
  if (!isOwner(owner, now)) await lchown(target, owner.uid, owner.gid)
}

const isOwner = (owner: FileOwner, { uid, gid }: FileOwner): boolean => uid === owner.uid && gid === owner.gid

const giveTree = async (directory: string, owner: FileOwner): Promise<void> => {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const child = path.join(directory, entry.name)
    await (entry.isDirectory() ? giveTree(child, owner) : give(child, owner))
  }
  await give(directory, owner)
}

/** Where it is noted whom a volume was given to: beside the volumes, as a game writes to its own. */
const noteOf = (hostPath: string): string => path.join(path.dirname(hostPath), 'owners', path.basename(hostPath))

const readNote = (hostPath: string): Promise<string | undefined> =>
  readFile(noteOf(hostPath), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })

/** Whom the volume was given to, as its note says it; undefined for one that never was. */
export const givenTo = readNote

/** Puts down whom a volume was given to elsewhere, after what is in it was brought from there; null for nobody. */
export const noteGiven = async (hostPath: string, to: string | null): Promise<void> => {
  if (to === null) return rm(noteOf(hostPath), { force: true })
  await mkdir(path.dirname(noteOf(hostPath)), { recursive: true })
  await writeFile(noteOf(hostPath), to, { flush: true })
}

/**
 * Gives the directories to the user the container runs as, with all that is in them; links are changed, never followed. Once:
 * while the same user follows itself, what an image that starts as root has made of its volume stays. An install step is
 * somebody else than the game, also with the same numbers. Nobody but root gives files away, so a volume of any other user
 * whose directory is not its own was put there by hand, and is given again.
 */
export const ownVolumes = async (
  mounts: readonly VolumeMount[],
  { owner, isInstall }: { owner: FileOwner; isInstall: boolean },
): Promise<void> => {
  const to = `${isInstall ? 'install ' : ''}${owner.uid}:${owner.gid}`
  for (const { hostPath } of mounts) {
    const isGiven = (await readNote(hostPath)) === to && (owner.uid === 0 || isOwner(owner, await lstat(hostPath)))
    if (isGiven) continue
    try {
      // Without a note until it is done: one that was done in part is begun anew.
      await rm(noteOf(hostPath), { force: true })
      await giveTree(hostPath, owner)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
      throw new Unavailable(`${hostPath} can't be given to user ${owner.uid}:${owner.gid}: this process is not root.`, {
        cause: error,
      })
    }
    await noteGiven(hostPath, to)
  }
}
