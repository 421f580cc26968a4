import { join } from 'node:path'
import type { Logger } from '../../lib/process/logger.ts'
import { type BackupTools, letGoOn, makeBackup } from './create.ts'
import type { DeploymentUse } from './deployment-use.ts'
import { Cancelled, Closing, wordsOf } from './errors.ts'
import type { Job } from './job.ts'
import { applyJobCommand, type JobCommand, type JobRecord, jobIdOf, jobStateOf } from './job-record.ts'
import type { JobStore } from './job-store.ts'
import { findLeftovers, removeAll } from './leftovers.ts'
import { discardVolumes, makeRestore } from './restore.ts'
import { makeSlots } from './slots.ts'
import { oldOf, stagingOf } from './swap.ts'

const tellEveryMs = 1_000
/** What waits for its turn is told again, as it is nobody's fault that nothing moves. */
const waitingEveryMs = 30_000
const keptTombstones = 100

/**
 * The backups, restores and discarded volumes of this machine: those of one deployment one after the other in the order of
 * their commands, and no more than `backupsAtOnce` backups at a time. Each comes to an end that is told, over any number of
 * restarts of the agent.
 */
export const makeJobs = (options: {
  store: JobStore
  tools: BackupTools & { use: DeploymentUse }
  backupsAtOnce: number
  /** The control plane must hear of a job. */
  onUnreported: () => void
  logger: Logger
}) => {
  const { store, tools, logger } = options
  const { dataDir, hooks, use } = tools
  const aborts = new Map<string, AbortController>()
  const tails = new Map<string, Promise<void>>()
  const slots = makeSlots(options.backupsAtOnce)
  const background = new Set<Promise<void>>()
  let closed = false

  const change = async (id: string, change: (record: JobRecord) => JobRecord): Promise<void> => {
    const before = store.get(id)
    if (!before) return
    const after = change(before)
    if (after === before) return
    const isNews = JSON.stringify(jobStateOf(before)) !== JSON.stringify(jobStateOf(after)) || after.revision > before.revision
    await store.put(isNews ? { ...after, revision: before.revision + 1 } : after)
    if (isNews) options.onUnreported()
  }
  const isUntold = ({ order, revision, reported }: JobRecord): boolean =>
    order !== null && order.kind !== 'discard' && reported < revision

  const inBackground = (work: Promise<void>): void => {
    const kept: Promise<void> = work.finally(() => background.delete(kept))
    background.add(kept)
  }

  const jobOf = (record: JobRecord, signal: AbortSignal): Job => {
    let toldMs = 0
    const { id } = record
    return {
      id,
      order: record.order as Job['order'],
      record: () => store.get(id) ?? record,
      note: (values) => change(id, (now) => ({ ...now, ...values })),
      progress: (bytesDone) => {
        const nowMs = performance.now()
        if (nowMs - toldMs < tellEveryMs) return
        toldMs = nowMs
        change(id, (now) => ({ ...now, bytesDone })).catch((err) => logger.warn({ err, id }, 'progress not noted'))
      },
      signal,
    }
  }

  const work = async (job: Job): Promise<void> => {
    const { order } = job
    if (order.kind === 'restore') return makeRestore(job as Job<'restore'>, tools)
    if (order.kind === 'discard') return discardVolumes(job as Job<'discard'>, tools)
    const leave = await slots.enter(job.signal)
    try {
      await makeBackup(job as Job<'backup'>, tools)
    } finally {
      leave()
    }
  }

  /** Its end: what was typed is taken back, what it used is free, and the control plane hears of it. */
  const finish = async (job: Job, error: string | null): Promise<void> => {
    const { id, order } = job
    const isBackup = order.kind === 'backup'
    if (isBackup) {
      await letGoOn(job as Job<'backup'>, hooks, (text) => logger.warn({ id }, text))
      if (error !== null) await hooks.say((job as Job<'backup'>).order.sessionId, `Backup failed: ${error}`)
    }
    const status = error === null ? ('COMPLETED' as const) : ('FAILED' as const)
    logger.info({ id, kind: order.kind, status, error }, 'job ended')
    // A backup is complete when the control plane says so, which it did; of a discarded volume nobody waits to hear.
    if (order.kind === 'discard' || (isBackup && error === null)) await store.forget(id)
    else await change(id, (now) => ({ ...now, ended: { status, error } }))
    use.release(order.serverGameConfigId)
    inBackground(removeAll([stagingOf(dataDir, id), oldOf(dataDir, id), join(dataDir, 'spool', id)], logger))
  }

  const execute = async (id: string): Promise<void> => {
    const record = store.get(id)
    if (closed || !record?.order || record.ended) return
    const abort = aborts.get(id) ?? new AbortController()
    aborts.set(id, abort)
    if (record.cancelled !== null && !record.swap) abort.abort(new Cancelled(record.cancelled))
    const job = jobOf(record, abort.signal)
    const error = await outcomeOf(job)
    if (error === undefined) return
    await finish(job, error)
    aborts.delete(id)
  }

  /** Null for a job that is done, words for one that failed, undefined when the next agent goes on with it. */
  const outcomeOf = async (job: Job): Promise<string | null | undefined> => {
    try {
      job.signal.throwIfAborted()
      await work(job)
      return null
    } catch (error) {
      if (!closed) {
        if (!(error instanceof Cancelled)) logger.warn({ err: error, id: job.id }, 'job failed')
        return wordsOf(job.signal.aborted ? job.signal.reason : error)
      }
      // A game must not be kept from saving until then.
      if (job.order.kind === 'backup') await letGoOn(job as Job<'backup'>, hooks, () => undefined)
      return undefined
    }
  }

  const begin = ({ id, order }: JobRecord): void => {
    if (!order || closed) return
    const deploymentId = order.serverGameConfigId
    aborts.set(id, new AbortController())
    const before = tails.get(deploymentId) ?? Promise.resolve()
    const running: Promise<void> = before
      .then(() => execute(id))
      .catch((err) => logger.error({ err, id }, 'the end of a job could not be noted; the next agent goes on with it'))
      .finally(() => {
        if (tails.get(deploymentId) === running) tails.delete(deploymentId)
      })
    tails.set(deploymentId, running)
  }

  const active = (): JobRecord[] => store.all().filter(({ ended, order }) => order !== null && ended === null)
  const timer = setInterval(() => {
    for (const { id, phase } of active())
      if (phase === 'WAITING') void change(id, (now) => ({ ...now, revision: now.revision + 1 })).catch(() => undefined)
  }, waitingEveryMs)
  timer.unref()

  // Before any session goes on: between two trees nothing may be started.
  for (const { swap, order } of active()) if (swap && order) use.hold(order.serverGameConfigId)

  return {
    /** Goes on with every job that has not come to its end: what an agent does first. */
    resume: async (): Promise<void> => {
      inBackground(removeAll(await findLeftovers(dataDir, store.all()), logger))
      for (const record of active().sort((a, b) => a.number - b.number)) begin(record)
    },
    /** Makes what was ordered durable; what comes of it follows as status. */
    accept: async (command: JobCommand): Promise<void> => {
      const id = jobIdOf(command)
      const known = store.get(id)
      const record = applyJobCommand(known, command)
      if (record === known) return
      await store.put(record)
      if (!known) begin(record)
      else if (record.cancelled !== null) aborts.get(id)?.abort(new Cancelled(record.cancelled))
      const tombstones = store.all().filter(({ order }) => order === null)
      for (const { id: old } of tombstones.slice(0, -keptTombstones)) await store.forget(old)
    },
    unreported: (): JobRecord[] => store.all().filter(isUntold),
    /** The broker has confirmed a revision; what has ended and was told of is forgotten. */
    confirm: async (id: string, revision: number): Promise<void> => {
      await change(id, (now) => ({ ...now, reported: Math.max(now.reported, revision) }))
      const record = store.get(id)
      if (record?.ended && record.order && record.reported >= record.revision) await store.forget(id)
    },
    close: async (): Promise<void> => {
      closed = true
      clearInterval(timer)
      for (const abort of aborts.values()) abort.abort(new Closing('The agent ends.'))
      await Promise.all([...tails.values(), ...background])
    },
  }
}
