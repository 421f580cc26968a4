import { lchown, lstat, mkdir, readdir, realpath } from 'node:fs/promises'
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

const chownTree = async (target: string, owner: FileOwner): Promise<void> => {
  const entries = await readdir(target, { withFileTypes: true })
  for (const entry of entries) {
    const child = path.join(target, entry.name)
    if (entry.isDirectory()) await chownTree(child, owner)
    else await lchown(child, owner.uid, owner.gid)
  }
  // Last, so that a tree that was done in part is begun anew.
  await lchown(target, owner.uid, owner.gid)
}

/** Gives the directories to the user the game runs as, with all that is in them; links are changed, never followed. */
export const ownVolumes = async (mounts: readonly VolumeMount[], owner: FileOwner): Promise<void> => {
  for (const { hostPath } of mounts) {
    const now = await lstat(hostPath)
    if (now.uid === owner.uid && now.gid === owner.gid) continue
    try {
      await chownTree(hostPath, owner)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
      throw new Unavailable(`${hostPath} can't be given to user ${owner.uid}:${owner.gid}: this process is not root.`, {
        cause: error,
      })
    }
  }
}
