import { CannotDecrypt } from '../lib/crypto/errors.ts'
import { open } from '../lib/crypto/sealed-box.ts'
import { registryContext } from '../lib/domain/images.ts'
import { type RegistryAuth, type RegistryLogin, registryLoginSchema } from '../lib/messages/session-spec.ts'
import type { Docker } from './docker/docker.ts'
import { ImageUnavailable, StartFailure } from './docker/errors.ts'
import { diskFreeBytes } from './docker/info.ts'
import type { FileOwner } from './docker/passwd.ts'
import { findTakenPort, readListeners } from './docker/ports-in-use.ts'
import { socketOwner } from './docker/socket-owner.ts'
import { portTakenFailure } from './docker/start-failure.ts'
import { volumeMounts } from './docker/volumes.ts'
import { FilesFailure } from './files/errors.ts'
import { writeFiles } from './files/write.ts'
import type { LogStore } from './logs/store.ts'
import { filesOf, openSpecSecrets } from './secrets.ts'
import type { SessionRecord } from './session-record.ts'

/** Makes all a session needs up to its created container. Resolves with what it will run. Already so is success. */
export type Preparation = (record: SessionRecord, signal: AbortSignal) => Promise<{ imageDigest: string }>

const progressEveryMs = 2_000
const mebibyte = 1024 * 1024

/**
 * Image, ports, network, volume, container, in this order, each said in the session's log where it may take long. Fails
 * with `ImageUnavailable` or `StartFailure` when trying again would fail the same way.
 */
export const makePreparation = (options: {
  docker: Pick<Docker, 'images' | 'networks' | 'containers'>
  logs: LogStore
  serverId: string
  dataDir: string
  /** What the container keeps for a host that has lost its files. */
  memoOf: (record: SessionRecord) => Promise<string>
  /** With less free disk, nothing is started. */
  diskFloorBytes: number
  /** Resolves when games may start, as far as the machine's firewall goes. */
  isolated: () => Promise<void>
  /** Opens what was sealed for this host. */
  privateKey: string
}): Preparation => {
  const { docker, logs } = options

  const checkDisk = async (): Promise<void> => {
    const free = await diskFreeBytes(options.dataDir)
    if (free >= options.diskFloorBytes) return
    const [left, floor] = [free, options.diskFloorBytes].map((bytes) => Math.floor(bytes / mebibyte))
    throw new StartFailure('DISK_FULL', `The disk of this machine has ${left} MB left; nothing is started below ${floor} MB.`)
  }

  /** In the clear from here to the pull, and nowhere else. */
  const openLogin = (image: string, { registry, sealed }: RegistryAuth): RegistryLogin => {
    try {
      return registryLoginSchema.parse(JSON.parse(open(options.privateKey, sealed, registryContext(registry))))
    } catch (error) {
      if (!(error instanceof CannotDecrypt)) throw error
      const words = `Image ${image}: the login for ${registry} can not be opened by this host. ${error.message}`
      throw new ImageUnavailable('UNAUTHORISED', words, { cause: error })
    }
  }

  const fetchImage = async (record: SessionRecord, signal: AbortSignal): Promise<string> => {
    const { image: ref, pullPolicy } = record.spec ?? missingSpec(record)
    const log = await logs.open(record.sessionId)
    let saidAtMs = 0
    let saidPercent = -1
    const ensured = await docker.images.ensure({
      ref,
      policy: pullPolicy,
      login: record.registryAuth && openLogin(ref, record.registryAuth),
      signal,
      onProgress: ({ percent }) => {
        const now = Date.now()
        if (percent === null || percent <= saidPercent || now - saidAtMs < progressEveryMs) return
        saidAtMs = now
        saidPercent = percent
        // Only told: a log that can't be written shows with the next line that must be.
        log.system(`Pulling image ${ref}: ${percent} %`).catch(() => undefined)
      },
    })
    if (ensured.pulled) await log.system(`Pulled image ${ref}.`)
    if (ensured.staleBecause) await log.system(`Using the image that is here: ${ensured.staleBecause.message}`)
    return ensured.image.id
  }

  return async (record, signal) => {
    const spec = record.spec ?? missingSpec(record)
    const { serverGameConfigId: sgcId, environment } = record
    if (sgcId === null || environment === null) return missingSpec(record)
    const secrets = openSpecSecrets(options.privateKey, sgcId, spec)
    await checkDisk()
    const imageDigest = await fetchImage(record, signal)
    const taken = findTakenPort(spec.ports, await readListeners())
    if (taken) throw portTakenFailure(taken.port, await socketOwner(taken.listener.inode))
    signal.throwIfAborted()
    await options.isolated()
    const labels = {
      sessionId: record.sessionId,
      sgcId,
      serverId: options.serverId,
      environment,
      createdAt: new Date().toISOString(),
    }
    const networkId = spec.hostNetwork ? null : await docker.networks.ensure(labels)
    if (!spec.hostNetwork) await docker.networks.ensureLinks(labels, spec.links)
    const mounts = volumeMounts({ dataDir: options.dataDir, environment, sgcId, spec })
    const memo = await options.memoOf(record)
    const fill = (owner: FileOwner): Promise<void> =>
      writeFiles({ volumeDir: mounts[0]!.hostPath, ...filesOf(spec, secrets.values), owner }).catch(asStartFailure)
    await docker.containers.create({ labels, spec, memo, mounts, networkId, reveal: secrets.reveal, fill })
    return { imageDigest }
  }
}

const asStartFailure = (error: unknown): never => {
  if (!(error instanceof FilesFailure)) throw error
  throw new StartFailure(error.reason, error.message, { cause: error })
}

const missingSpec = (record: SessionRecord): never => {
  throw new TypeError(`session ${record.sessionId} has nothing to run`)
}
