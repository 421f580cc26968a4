import type { BackupPolicy } from '../../lib/domain/backup-policy.ts'
import type { SaveHooksDraft } from '../../lib/domain/game-config.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { parseGlobs, parseSaveHooks } from '../../lib/parameters/backup-input.ts'

/** What is left out stays as it is; null takes the default. */
export type BackupPolicyInput = { [Field in keyof Omit<BackupPolicy, 'saveHooks'>]?: BackupPolicy[Field] | null } & {
  saveHooks?: SaveHooksDraft | null
}

/** Fields that are whole numbers, from and to. The upper ends, a decade and an exabyte, only keep typing errors out. */
const ranges = {
  gzipLevel: [1, 9],
  keepLast: [1, 10_000],
  keepDaily: [1, 3_650],
  keepWeekly: [1, 520],
  keepMonthly: [1, 120],
  maxBackups: [1, 100_000],
  maxBytes: [1, 2 ** 53 - 1],
  stallMinutes: [1, 1_440],
} as const

/** What is said of a deployment's backups when `input` has changed it. Throws `Invalid` with every fault. */
export const changePolicy = (known: Partial<BackupPolicy>, input: BackupPolicyInput): Partial<BackupPolicy> => {
  const check = makeInputCheck()
  for (const [field, [min, max]] of Object.entries(ranges)) {
    const value = input[field as keyof typeof ranges]
    if (value != null) check.integer(field, value, min, max)
  }
  const { saveHooks, include, exclude, ...plain } = input
  const given = {
    ...plain,
    ...(saveHooks !== undefined && { saveHooks: saveHooks && parseSaveHooks(check, 'saveHooks', saveHooks) }),
    ...(include !== undefined && { include: include && parseGlobs(check, 'include', include) }),
    ...(exclude !== undefined && { exclude: exclude && parseGlobs(check, 'exclude', exclude) }),
  }
  check.throwIfAny()
  const changed = { ...known, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== null)) as Partial<BackupPolicy>
}
