import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf, readPages } from '../../lib/db/page.ts'

export const backupStatuses = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED'] as const

/** A row of backups.backups. */
export interface Backup {
  id: string
  serverGameConfigId: string
  sessionId: string | null
  status: (typeof backupStatuses)[number]
  bytesDone: number | null
  sizeBytes: number | null
  sha256: string | null
  createdAt: Date
  completedAt: Date | null
  error: string | null
  locked: boolean
}

const selectBackups = (db: Database) =>
  db
    .selectFrom('backups.backups')
    .select([
      'id',
      'server_game_config_id as serverGameConfigId',
      'session_id as sessionId',
      'status',
      'bytes_done as bytesDone',
      'size_bytes as sizeBytes',
      'sha256',
      'created_at as createdAt',
      'completed_at as completedAt',
      'error',
      'locked',
    ])
    .$castTo<Backup>()

export const backupsById = (db: Database, ids: readonly string[]): Promise<Backup[]> =>
  selectBackups(db).where('id', 'in', ids).execute()

export const backupsPage = (db: Database, page: KeysetPage): Promise<Backup[]> => pageOf(selectBackups(db), 'id', page).execute()

export const backupsOfDeployments = (db: Database, ids: readonly string[], page: KeysetPage): Promise<Map<string, Backup[]>> =>
  readPages(db, ids, page, (id) => pageOf(selectBackups(db).where('server_game_config_id', '=', id), 'id', page))
