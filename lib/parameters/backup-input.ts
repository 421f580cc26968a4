import type { GameConfigBackup, SaveHooks } from '../domain/backup-policy.ts'
import { defaultGameConfigBackup } from '../domain/backup-policy.ts'
import type { GameConfigBackupDraft, SaveHooksDraft } from '../domain/game-config.ts'
import type { InputCheck } from '../domain/inputs.ts'
import { patternFault } from './patterns.ts'

const maxLines = 20
const maxLineLength = 500
const maxPatternLength = 1_000
const maxGlobs = 100
const maxGlobLength = 500
const maxSaveSeconds = 600
const defaultSaveSeconds = 60

/** How a game is made to save around a backup. Refuses every fault below `path`. */
export const parseSaveHooks = (check: InputCheck, path: string, input: SaveHooksDraft): SaveHooks => {
  const { waitFor = null } = input
  const hooks = {
    before: parseLines(check, `${path}.before`, input.before ?? []),
    waitFor,
    timeoutSeconds: input.timeoutSeconds ?? defaultSaveSeconds,
    after: parseLines(check, `${path}.after`, input.after ?? []),
  }
  check.integer(`${path}.timeoutSeconds`, hooks.timeoutSeconds, 1, maxSaveSeconds)
  if (waitFor === null) return hooks
  if (hooks.before.length === 0) check.refuse(`${path}.waitFor`, 'needs a line in before that it is the answer to')
  const fault = check.text(`${path}.waitFor`, waitFor, maxPatternLength) === undefined ? undefined : patternFault(waitFor)
  if (fault) check.refuse(`${path}.waitFor`, fault)
  return hooks
}

const parseLines = (check: InputCheck, path: string, lines: readonly string[]): string[] => {
  if (lines.length > maxLines) check.refuse(path, `must not be more than ${maxLines} lines`)
  for (const [index, line] of lines.slice(0, maxLines).entries()) check.text(`${path}.${index}`, line, maxLineLength)
  return [...lines]
}

/** Which paths of the volumes are meant. */
export const parseGlobs = (check: InputCheck, path: string, globs: readonly string[]): string[] => {
  if (globs.length > maxGlobs) check.refuse(path, `must not be more than ${maxGlobs} patterns`)
  for (const [index, glob] of globs.slice(0, maxGlobs).entries()) {
    const at = `${path}.${index}`
    if (check.text(at, glob, maxGlobLength) === undefined) continue
    if (glob.startsWith('/')) check.refuse(at, 'must be relative to the volume, without a slash at the beginning')
    if (glob.split('/').includes('..')) check.refuse(at, 'must not lead out of the volume')
  }
  return [...globs]
}

/** What a GameConfig says of backups; nothing is the default. */
export const parseGameConfigBackup = (
  check: InputCheck,
  path: string,
  input: GameConfigBackupDraft | null | undefined,
): GameConfigBackup => {
  if (!input) return defaultGameConfigBackup
  return {
    saveHooks: input.saveHooks ? parseSaveHooks(check, `${path}.saveHooks`, input.saveHooks) : null,
    include: parseGlobs(check, `${path}.include`, input.include ?? []),
    exclude: parseGlobs(check, `${path}.exclude`, input.exclude ?? []),
  }
}
