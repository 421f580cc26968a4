import { beginBackup, beginRestore, refBackupPolicy } from '../../lib/db/backups.ts'
import type { Database } from '../../lib/db/connect.ts'
import { hasOpenOperation } from '../../lib/db/operations.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import * as store from './store.ts'

export interface RestoreBackupInput {
  backupId: string | number
  serverGameConfigId?: string | number | null
  paths?: readonly string[] | null
  withoutBackup?: boolean | null
}

const maxPaths = 1_000
const maxPathLength = 4_096

/**
 * Puts back what a backup holds, or some paths of it, into its deployment or another of the same game. What that would replace
 * is backed up first, unless its policy or the caller says otherwise. Throws `Invalid`, `NotFound`, `Unavailable` (the host is
 * OFFLINE), or `Conflict` (a session is live, something else is under way, the backup does not fit).
 */
export const makeRestore =
  ({ db, newId }: { db: Database; newId: () => string }) =>
  async (input: RestoreBackupInput, actor: string): Promise<store.Restore> => {
    const backupId = String(input.backupId)
    const paths = parsePaths(input.paths ?? null)
    if (!isUuid(backupId)) throw new NotFound('backup', backupId)
    const target = input.serverGameConfigId == null ? null : String(input.serverGameConfigId)
    if (target !== null && !isUuid(target)) throw new NotFound('deployment', target)
    const ids = { id: newId(), firstId: newId() }
    return inTransaction(db, async (tx) => {
      const [backup] = await store.backupsById(tx, [backupId])
      if (!backup || backup.deletedAt) throw new NotFound('backup', backupId)
      const serverGameConfigId = target ?? backup.serverGameConfigId
      const first = input.withoutBackup ? undefined : await backUpFirst(tx, serverGameConfigId, ids.firstId, actor)
      await beginRestore(tx, { id: ids.id, backupId, serverGameConfigId, paths, waitsFor: first, actor })
      const [restore] = await store.restoresById(tx, [ids.id])
      return restore!
    })
  }

const backUpFirst = async (
  tx: Transaction,
  serverGameConfigId: string,
  id: string,
  actor: string,
): Promise<string | undefined> => {
  if (!(await refBackupPolicy(tx, serverGameConfigId)).beforeRestore) return undefined
  if (!(await store.hasRun(tx, serverGameConfigId))) return undefined
  // What forbids the restore itself is told first.
  if (await hasOpenOperation(tx, serverGameConfigId))
    throw new Conflict('The deployment is busy: a session of it is live, or another operation is under way.')
  await beginBackup(tx, { id, serverGameConfigId, trigger: 'BEFORE_RESTORE', actor }).catch((error) => {
    if (!(error instanceof Conflict)) throw error
    throw new Conflict(`What would be replaced can't be backed up first. ${error.message} Or say withoutBackup.`, {
      cause: error,
    })
  })
  return id
}

/** As `backupFiles` names them. */
const parsePaths = (given: readonly string[] | null): string[] | null => {
  if (given === null) return null
  const check = makeInputCheck()
  if (given.length === 0) check.refuse('paths', 'must name at least one; leave it out to restore all')
  if (given.length > maxPaths) check.refuse('paths', `must not be more than ${maxPaths}`)
  const paths = given.slice(0, maxPaths).map((path) => path.replace(/\/+$/, ''))
  for (const [index, path] of paths.entries()) {
    const at = `paths.${index}`
    if (check.text(at, path, maxPathLength, { lines: true }) === undefined) continue
    const steps = path.split('/')
    const isInside = steps[0] === 'data' || (steps[0] === 'volumes' && steps.length > 1)
    if (!isInside || steps.some((step) => step === '' || step === '.' || step === '..'))
      check.refuse(at, 'must be a path as backupFiles names it, such as data/world')
  }
  check.throwIfAny()
  return paths
}
