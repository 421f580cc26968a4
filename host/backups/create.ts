import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../lib/process/logger.ts'
import { diskFreeBytes } from '../docker/info.ts'
import { givenTo } from '../docker/volumes.ts'
import { openVolume, using } from '../files/inside.ts'
import { directoryOf, volumesOf } from './archive.ts'
import type { Ask } from './ask.ts'
import { JobFailed } from './errors.ts'
import { compileGlobs } from './globs.ts'
import type { Hooks } from './hooks.ts'
import { type Job, makeWarnings } from './job.ts'
import type { JobRecord } from './job-record.ts'
import { type PackedVolume, packVolumes } from './pack.ts'
import { openSpool, partBytesFor, smallestPartBytes } from './spool.ts'
import { resolveAddress, type StoreHttp } from './store-http.ts'
import { makeUpload, persist } from './upload.ts'
import { walk } from './walk.ts'

const mebibyte = 1024 * 1024

export interface BackupTools {
  dataDir: string
  diskFloorBytes: number
  doorUrl: string | undefined
  ask: Ask
  http: StoreHttp
  hooks: Hooks
  logger: Logger
}

/**
 * Makes one backup: the game saves, its volumes become parts on the disk, the parts go to the store, and the control plane makes
 * one archive of them. Called again after a restart of the agent it goes on with what is packed, or begins anew.
 */
export const makeBackup = async (job: Job<'backup'>, tools: BackupTools): Promise<void> => {
  const { ask, http, hooks, doorUrl } = tools
  const { order, signal } = job
  const logger = tools.logger.child({ backupId: job.id })
  const spool = openSpool(join(tools.dataDir, 'spool', job.id))
  const { packed } = job.record()
  const kept = packed && (await spool.load(packed.parts))
  if (packed && kept) await storeRest(packed, kept)
  else await packAnew()
  const { upload, packed: done } = job.record()
  if (upload === null || done === null) throw new TypeError('a backup without an upload')
  await job.note({ phase: 'STORING' })
  const bytes = (await stat(spool.indexPath)).size
  await persist("The index can't be stored", { signal, logger }, async () => {
    const { url } = await ask({ kind: 'backup.index', backupId: job.id, bytes }, signal)
    await http.put(resolveAddress(url, doorUrl), spool.indexPath, bytes, signal)
  })
  const all = await spool.load(done.parts)
  const parts = [...(all?.stored ?? [])].map(([number, etag]) => ({ number, etag })).sort((a, b) => a.number - b.number)
  const { parts: _, ...facts } = done
  await ask({ kind: 'backup.complete', backupId: job.id, upload, parts, ...facts }, signal)

  async function packAnew(): Promise<void> {
    const volumes = await volumesThere(job, tools.dataDir)
    const what = {
      isExcluded: compileGlobs(order.exclude),
      isIncluded: order.include.length === 0 ? null : compileGlobs(order.include),
    }
    await spool.reset()
    const { upload } = await ask({ kind: 'backup.open', backupId: job.id, again: job.record().upload !== null }, signal)
    await job.note({ upload, packed: null, bytesDone: 0, phase: 'SAVING' })
    const warnings = makeWarnings()
    const { warn } = warnings
    const partBytes = await partBytesOf(volumes, tools.dataDir, signal)
    await hooks.say(order.sessionId, 'Backup begins.')
    const parts = storing(upload, new Map(), 0)
    try {
      // Known before it is done: whoever comes after this agent types the lines for afterwards.
      if (order.sessionId !== null && order.hooks !== null) await job.note({ afterDue: true })
      await hooks.before(order, warn, signal)
      await job.note({ phase: 'PACKING' })
      const facts = await pack(volumes, { ...what, warn }, { partBytes, parts })
      await letGoOn(job, hooks, warn)
      await job.note({ packed: { ...facts, warnings: warnings.all() }, phase: 'UPLOADING' })
      await hooks.say(order.sessionId, 'Backup has all it needs.')
      await parts.done()
    } finally {
      await parts.close()
    }
  }

  async function storeRest(done: NonNullable<JobRecord['packed']>, rest: NonNullable<typeof kept>): Promise<void> {
    const waitingBytes = rest.waiting.reduce((sum, { bytes }) => sum + bytes, 0)
    const parts = storing(job.record().upload ?? '', rest.stored, done.sizeBytes - waitingBytes)
    try {
      for (const part of rest.waiting) await parts.add(part)
      await parts.done()
    } finally {
      await parts.close()
    }
  }

  function storing(upload: string, stored: Map<number, string>, bytesBefore: number) {
    let bytesDone = bytesBefore
    const onStored = (bytes: number): void => {
      bytesDone += bytes
      job.progress(bytesDone)
    }
    return makeUpload({
      ask,
      http,
      doorUrl,
      spool,
      backupId: job.id,
      upload,
      stored,
      keep: order.keepSpool,
      onStored,
      signal,
      logger,
    })
  }

  async function pack(
    volumes: readonly PackedVolume[],
    what: Pick<Parameters<typeof packVolumes>[1], 'isExcluded' | 'isIncluded' | 'warn'>,
    to: { partBytes: number; parts: ReturnType<typeof makeUpload> },
  ): Promise<Omit<NonNullable<JobRecord['packed']>, 'warnings'>> {
    const checkDisk = (): Promise<void> => checkRoom(tools, to.partBytes)
    const writer = spool.writer({ partBytes: to.partBytes, checkDisk, onPart: to.parts.add })
    const index = spool.index()
    let contentBytes = 0
    let entries = 0
    try {
      await packVolumes(volumes, {
        ...what,
        gzipLevel: order.gzipLevel,
        signal: to.parts.signal,
        take: writer.write,
        onThing: ({ path, kind, bytes, mode, mtimeUs }) => {
          contentBytes += bytes
          entries++
          index.add({ path, kind, bytes, mode, mtime: mtimeUs / 1e6 })
        },
      })
      await index.end()
      return { ...(await writer.end()), contentBytes, entries }
    } finally {
      index.close()
      await writer.close()
    }
  }
}

/** Types the lines for afterwards if those for before were typed, and remembers that it did. */
export const letGoOn = async (job: Job<'backup'>, hooks: Hooks, warn: (text: string) => void): Promise<void> => {
  if (!job.record().afterDue) return
  await hooks.after(job.order, warn)
  await job.note({ afterDue: false })
}

const volumesThere = async ({ order }: Job<'backup'>, dataDir: string): Promise<PackedVolume[]> => {
  const there: PackedVolume[] = []
  for (const at of volumesOf(order)) {
    const hostPath = join(dataDir, directoryOf(order, at))
    const isThere = await stat(hostPath).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
        return false
      },
    )
    if (isThere) there.push({ hostPath, at, given: (await givenTo(hostPath)) ?? null })
  }
  if (there.length === 0)
    throw new JobFailed('There is nothing to back up yet: this deployment has not been started on this machine.')
  return there
}

/** No volume holds more than its disk: only on a large one it has to be looked at. */
const partBytesOf = async (volumes: readonly PackedVolume[], dataDir: string, signal: AbortSignal): Promise<number> => {
  const { blocks, bfree, bsize } = await statfs(dataDir)
  if (partBytesFor((blocks - bfree) * bsize) === smallestPartBytes) return smallestPartBytes
  let bytes = 0
  const all = { isExcluded: () => false, isIncluded: null, warn: () => undefined, signal }
  for (const { hostPath, at } of volumes) {
    await using(await openVolume(hostPath), async (root) => {
      for await (const thing of walk(root, at, all)) bytes += thing.bytes
    })
  }
  return partBytesFor(bytes)
}

export const checkRoom = async ({ dataDir, diskFloorBytes }: BackupTools, bytes: number): Promise<void> => {
  const free = await diskFreeBytes(dataDir)
  if (free - bytes >= diskFloorBytes) return
  const [left, floor, wanted] = [free, diskFloorBytes, bytes].map((n) => Math.floor(n / mebibyte))
  throw new JobFailed(
    `The disk of this machine has ${left} MB left, of which ${wanted} MB are needed now and ${floor} MB stay free for games.`,
  )
}
