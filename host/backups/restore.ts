import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { backOffMs } from '../../lib/process/retry.ts'
import { noteGiven } from '../docker/volumes.ts'
import { directoryOf, volumesOf } from './archive.ts'
import { type BackupTools, checkRoom } from './create.ts'
import type { DeploymentUse } from './deployment-use.ts'
import { download, verify } from './download.ts'
import { JobFailed, wordsOf } from './errors.ts'
import type { Job } from './job.ts'
import type { Swap } from './job-record.ts'
import { oldOf, planSwap, stagingOf, swapBack, swapForward, syncDisk } from './swap.ts'
import { unpack } from './unpack.ts'

const backOff = { minMs: 250, maxMs: 15_000 }
/** Of a thing on the disk, beside its content. */
const entryBytes = 4096

/**
 * Carries out one restore. Nothing is touched before the archive is here, is the right one and lies unpacked beside; then it
 * takes the place of what is there by renames, all of them or none. Throws when everything is as it was before. Called again
 * after a restart of the agent it goes on, from the journal once renaming has begun.
 */
export const makeRestore = async (job: Job<'restore'>, tools: BackupTools & { use: DeploymentUse }): Promise<void> => {
  const { dataDir, use } = tools
  const { id, order, signal } = job
  const logger = tools.logger.child({ restoreId: id })
  const { swap } = job.record()
  if (swap) {
    use.hold(order.serverGameConfigId)
    return goThrough(swap)
  }
  const spool = join(dataDir, 'spool', id)
  const archive = join(spool, 'archive')
  await mkdir(spool, { recursive: true, mode: 0o700 })
  const have = await stat(archive).then(
    ({ size }) => size,
    () => 0,
  )
  await checkRoom(tools, Math.max(0, order.sizeBytes - have) + order.contentBytes + order.entries * entryBytes)
  await job.note({ phase: 'DOWNLOADING' })
  const { ask, http, doorUrl } = tools
  const onBytes = job.progress
  await download({ restoreId: id, path: archive, sizeBytes: order.sizeBytes, ask, http, doorUrl, onBytes, signal, logger })
  await job.note({ phase: 'VERIFYING', bytesDone: order.sizeBytes })
  await verify(archive, order.sha256, signal).catch(async (error) => {
    await rm(archive, { force: true })
    throw error
  })
  use.hold(order.serverGameConfigId)
  await use.untilFree(order.serverGameConfigId, signal)
  await job.note({ phase: 'UNPACKING' })
  const staging = stagingOf(dataDir, id)
  await rm(staging, { recursive: true, force: true })
  await mkdir(staging, { mode: 0o700 })
  const { contentBytes, entries } = order
  const unpacked = await unpack(archive, staging, {
    volumes: volumesOf(order),
    paths: order.paths,
    contentBytes,
    entries,
    signal,
  })
  await syncDisk(dataDir)
  const planned = await planSwap(dataDir, order, unpacked)
  signal.throwIfAborted()
  await job.note({ swap: planned, phase: 'SWAPPING' })
  await goThrough(planned)

  /** To one end or the other, whatever it takes: in between nothing can be said of the volumes. */
  async function goThrough(swap: Swap): Promise<void> {
    let failure: unknown
    let { direction } = swap
    for (let attempt = 1; ; attempt++) {
      try {
        if (direction === 'forward') return await swapForward(dataDir, id, swap)
        await swapBack(dataDir, id, swap)
        break
      } catch (error) {
        failure ??= error
        logger.error({ err: error, direction, attempt }, 'renaming failed')
        if (direction === 'forward') {
          direction = 'back'
          await job.note({ swap: { ...swap, direction } })
        } else await delay(backOffMs(backOff, attempt), undefined, { ref: false })
        if (signal.aborted && signal.reason?.name === 'Closing') throw signal.reason
      }
    }
    throw new JobFailed(`What was unpacked could not take its place: ${wordsOf(failure)}. Everything is as it was.`)
  }
}

/** Takes the deployment's volumes away: it is at home elsewhere. */
export const discardVolumes = async (job: Job<'discard'>, tools: { dataDir: string; use: DeploymentUse }): Promise<void> => {
  const { dataDir, use } = tools
  const { serverGameConfigId, environment } = job.order
  use.hold(serverGameConfigId)
  await use.untilFree(serverGameConfigId, job.signal)
  const old = oldOf(dataDir, job.id)
  await mkdir(old, { recursive: true, mode: 0o700 })
  const base = directoryOf({ environment, serverGameConfigId }, 'data')
  for (const name of await readdir(dataDir)) {
    if (name !== base && !name.startsWith(`${base}.`)) continue
    await rename(join(dataDir, name), join(old, name))
    await noteGiven(join(dataDir, name), null)
  }
}
