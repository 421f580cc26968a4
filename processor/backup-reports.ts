import { sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import {
  cancelOnHost,
  endRestore,
  failBackup,
  isUnderWay,
  type LockedBackup,
  type LockedRestore,
  lockBackup,
  lockRestore,
} from '../lib/db/backup-ends.ts'
import type { Database } from '../lib/db/connect.ts'
import { addChange } from '../lib/db/outbox.ts'
import { inTransaction, type Transaction } from '../lib/db/transaction.ts'
import { OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import { type BackupReport, backupStatusSchema, type RestoreReport, restoreStatusSchema } from '../lib/messages/backups.ts'
import { readMessage } from '../lib/messages/envelope.ts'
import type { Logger } from '../lib/process/logger.ts'

/** A host that goes on with what was given up is told once in this time, not at every report. */
const cancelAgainAfterMs = 60_000
const maxRemembered = 10_000

/** As of sessions: taken, overtaken, of what was given up, of nothing that is known. */
type Decision = 'apply' | 'stale' | 'undead' | 'unknown'

const givenUp = 'The control plane has given it up.'

/** Brings what hosts say of backups and restores into the database: by revision, and what has ended stays as it ended. */
export const makeBackupReports = ({ db, logger }: { db: Database; logger: Logger }) => {
  const counters: Record<Decision, number> = { apply: 0, stale: 0, undead: 0, unknown: 0 }
  const cancelled = new LRUCache<string, string>({ max: maxRemembered, ttl: cancelAgainAfterMs })

  const cancel = async (tx: Transaction, job: { id: string; serverId: string }, reportId: string): Promise<void> => {
    const answered = cancelled.get(job.id)
    if (answered !== undefined && answered !== reportId) return
    cancelled.set(job.id, reportId)
    await cancelOnHost(tx, job, givenUp)
  }

  const takeBackup = async (tx: Transaction, speaker: string, report: BackupReport): Promise<Decision> => {
    const row = await lockBackup(tx, report.backupId)
    if (row?.serverId !== speaker) return 'unknown'
    if (!isUnderWay(row)) {
      if (row.status !== 'FAILED' || report.status !== 'RUNNING') return 'stale'
      await cancel(tx, row, report.id)
      return 'undead'
    }
    if (report.revision <= row.revision) return 'stale'
    await tx.updateTable('backups.backups').set(progressOf(row, report)).where('id', '=', row.id).execute()
    if (report.status === 'FAILED') await failBackup(tx, row, report.error ?? unsaid, { tellHost: false })
    else await addChange(tx, { kind: 'changed.backup', backupId: row.id, serverId: row.serverId })
    return 'apply'
  }

  const takeRestore = async (tx: Transaction, speaker: string, report: RestoreReport): Promise<Decision> => {
    const row = await lockRestore(tx, report.restoreId)
    if (row?.serverId !== speaker) return 'unknown'
    const isJudged = row.status === 'FAILED' && row.judged
    if (isJudged && report.status === 'RUNNING') {
      await cancel(tx, row, report.id)
      return 'undead'
    }
    if ((!isUnderWay(row) && !isJudged) || report.revision <= row.revision) return 'stale'
    await tx.updateTable('backups.restores').set(progressOf(row, report)).where('id', '=', row.id).execute()
    const { status, error } = report
    if (status === 'RUNNING') await addChange(tx, { kind: 'changed.backup', backupId: row.backupId, serverId: row.serverId })
    else await endRestore(tx, row, { status, error: status === 'FAILED' ? (error ?? unsaid) : null, judged: false })
    return 'apply'
  }

  const take = async (job: object, work: (tx: Transaction) => Promise<Decision>): Promise<void> => {
    try {
      const decision = await inTransaction(db, work)
      counters[decision]++
      logger[decision === 'apply' || decision === 'stale' ? 'debug' : 'warn'](
        { ...job, decision },
        'report of a backup or restore',
      )
    } catch (error) {
      // Applied twice it changes the row once, so that an uncertain commit is simply tried again.
      throw error instanceof OutcomeUnknown ? new Unavailable(error.message, { cause: error }) : error
    }
  }

  return {
    backup: (speaker: string, content: Uint8Array): Promise<void> => {
      const report = readMessage(backupStatusSchema, content)
      return take({ serverId: speaker, backupId: report.backupId }, (tx) => takeBackup(tx, speaker, report))
    },
    restore: (speaker: string, content: Uint8Array): Promise<void> => {
      const report = readMessage(restoreStatusSchema, content)
      return take({ serverId: speaker, restoreId: report.restoreId }, (tx) => takeRestore(tx, speaker, report))
    },
    /** Since start, by what was decided. */
    counters: () => ({ ...counters }),
  }
}

const unsaid = 'Its host does not say why.'

/**
 * What a report writes, but the end. A job that waits its turn on its host is not stuck; all others show progress by their
 * phase or their bytes.
 */
const progressOf = (row: LockedBackup | LockedRestore, { revision, status, phase, bytesDone }: BackupReport | RestoreReport) => {
  const moved = phase === 'WAITING' || phase !== row.phase || bytesDone !== row.bytesDone
  return {
    ...(status === 'RUNNING' && { status }),
    revision,
    phase,
    bytes_done: bytesDone,
    ...(moved && { progress_at: sql<Date>`now()` }),
  }
}
