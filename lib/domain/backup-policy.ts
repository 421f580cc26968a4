export const backupTriggers = ['MANUAL', 'SCHEDULE', 'BEFORE_STOP', 'BEFORE_RESTORE', 'TRANSFER'] as const
export type BackupTrigger = (typeof backupTriggers)[number]

/**
 * What a deployment wants of its backups. Where a field is null its GameConfig's counts (`saveHooks`, `include`, `exclude`),
 * else the default.
 */
export interface BackupPolicy {
  /** Typed around the reading of the files, so that they hold still meanwhile. */
  saveHooks: SaveHooks | null
  /** Globs of what is taken, relative to the volumes; empty is everything. */
  include: readonly string[] | null
  /** Globs of what is not taken; stronger than `include`. */
  exclude: readonly string[] | null
  /** 1 is fast, 9 is small. */
  gzipLevel: number
  /** The whole archive is kept on the machine until it is stored, so that a restarted agent goes on uploading. */
  spool: boolean
  /** A session that is asked to stop is backed up first. */
  beforeStop: boolean
  /** What a restore replaces is backed up first. */
  beforeRestore: boolean
  /** The newest so many are kept; null with the three below: all of them. */
  keepLast: number | null
  /** The newest of each of so many days, weeks and months that have one. */
  keepDaily: number | null
  keepWeekly: number | null
  keepMonthly: number | null
  /** Beyond so many backups, or bytes of them, none is made. */
  maxBackups: number | null
  maxBytes: number | null
  /** Minutes without progress after which a backup or restore has failed. */
  stallMinutes: number
}

export interface SaveHooks {
  /** Lines typed before the files are read. */
  before: readonly string[]
  /** RE2: a line that fits, printed after the last of `before`, says that all is saved; null waits for none. */
  waitFor: string | null
  /** How long that line may take; without it the backup goes on, and says so. */
  timeoutSeconds: number
  /** Typed afterwards, whatever happened. */
  after: readonly string[]
}

/** Of a GameConfig: how its game is made to save, and what of its volumes is no save. */
export interface GameConfigBackup {
  saveHooks: SaveHooks | null
  include: readonly string[]
  exclude: readonly string[]
}

export const defaultGameConfigBackup: GameConfigBackup = { saveHooks: null, include: [], exclude: [] }

export const defaultBackupPolicy: BackupPolicy = {
  saveHooks: null,
  include: null,
  exclude: null,
  gzipLevel: 6,
  spool: false,
  beforeStop: false,
  beforeRestore: true,
  keepLast: null,
  keepDaily: null,
  keepWeekly: null,
  keepMonthly: null,
  maxBackups: null,
  maxBytes: null,
  stallMinutes: 15,
}
