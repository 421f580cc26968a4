import { cancelOnHost, endRestore, failBackup, isUnderWay, lockBackup, lockRestore } from '../lib/db/backup-ends.ts'
import type { Database } from '../lib/db/connect.ts'
import { refServer } from '../lib/db/refs.ts'
import { inTransaction, type Transaction } from '../lib/db/transaction.ts'
import { queues } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Topology } from '../lib/rabbit/kept-topology.ts'
import { isStillStalled, stalledBackups, stalledRestores } from './backup-rows.ts'
import { heardMs, makeListening } from './listening.ts'
import { startLoop } from './loop.ts'
import type { Timings } from './timings.ts'

const perSweep = 100

/**
 * Backups and restores without progress for their limit have failed, whatever their hosts do: also those of hosts that are
 * away, and those that were never begun. Who could not hear the reports judges nothing.
 */
export const startBackupSweeps = (options: {
  db: Database
  topology: Topology
  statuses: { consuming: () => boolean }
  timings: Timings
  logger: Logger
}) => {
  const { db, logger, timings } = options
  const reports = makeListening(options.statuses.consuming)
  const counters = { backups: 0, restores: 0 }

  const work = async (): Promise<void> => {
    if ((await heardMs(reports, options.topology, queues.statuses)) < timings.settleMs) return
    try {
      for (const id of await stalledBackups(db, perSweep)) {
        if (!(await inTransaction(db, (tx) => giveUpBackup(tx, id)))) continue
        counters.backups++
        logger.warn({ backupId: id }, 'backup without progress')
      }
      for (const id of await stalledRestores(db, perSweep)) {
        if (!(await inTransaction(db, (tx) => giveUpRestore(tx, id)))) continue
        counters.restores++
        logger.warn({ restoreId: id }, 'restore without progress')
      }
    } catch (error) {
      reports.interrupt()
      throw error
    }
  }
  const loop = startLoop({ name: 'backup sweeps', everyMs: timings.sweepEveryMs, work, logger })

  return {
    /** Since start: what was given up. */
    counters: () => ({ ...counters }),
    close: loop.close,
  }
}

const giveUpBackup = async (tx: Transaction, id: string): Promise<boolean> => {
  const backup = await lockBackup(tx, id)
  if (!backup || !isUnderWay(backup) || !(await isStillStalled(tx, 'backups', id))) return false
  await failBackup(tx, backup, await reasonOf(tx, backup), { tellHost: true })
  return true
}

const giveUpRestore = async (tx: Transaction, id: string): Promise<boolean> => {
  const restore = await lockRestore(tx, id)
  if (!restore || !isUnderWay(restore) || !(await isStillStalled(tx, 'restores', id))) return false
  const reason = await reasonOf(tx, restore)
  const error = `${reason} What its host says of it later still counts.`
  await endRestore(tx, restore, { status: 'FAILED', error, judged: true })
  await cancelOnHost(tx, restore, reason)
  return true
}

const reasonOf = async (
  tx: Transaction,
  { serverId, phase, stallSeconds }: { serverId: string; phase: string | null; stallSeconds: number },
): Promise<string> => {
  const server = await refServer(tx, serverId)
  const minutes = stallSeconds >= 120 ? `${Math.round(stallSeconds / 60)} minutes` : `${stallSeconds} seconds`
  const what = phase === null ? `It was not begun within ${minutes}` : `No progress for ${minutes}, while ${phase}`
  return server?.status === 'ONLINE' ? `${what}.` : `${what}: its host is ${server?.status ?? 'deleted'}.`
}
