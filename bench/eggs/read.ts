import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Invalid } from '../../lib/domain/errors.ts'
import { type EggImport, readEgg } from '../../lib/eggs/read-egg.ts'
import { parseGameConfig } from '../../subgraphs/configs/game-config-input.ts'
import { type Field, fieldsAt, fieldsOf } from './fields.ts'

/** What came of one file. */
export interface Outcome {
  file: string
  /** Why there is no config that our own checks accept; null when there is one. */
  fault: string | null
  fields: Field[]
  unmapped: Set<Field>
  reports: { kind: string; reason: string }[]
}

const extensions = /\.(json|ya?ml)$/i

/** Every egg under `dir`; files of these names that are something else (a game's own settings) are only counted. */
export const readEggs = (dir: string): { outcomes: Outcome[]; others: string[] } => {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/(^|\/)(\.git|\.github|node_modules)\//.test(relative(dir, file)))
    .sort()
  const sources = files.map((file) => ({ file: relative(dir, file), source: readFileSync(file, 'utf8') }))
  const isEgg = ({ source }: { source: string }): boolean => /\b(PTDL|PLCN)_v\d/.test(source)
  return {
    outcomes: sources.filter(isEgg).map(({ file, source }) => readOne(file, source)),
    others: sources.filter((one) => !isEgg(one)).map(({ file }) => file),
  }
}

const readOne = (file: string, source: string): Outcome => {
  const outcome: Outcome = { file, fault: null, fields: [], unmapped: new Set(), reports: [] }
  try {
    const imported = readEgg(source)
    checkConfig(imported)
    outcome.fields = fieldsOf(source)
    for (const { path, reason } of imported.unmapped) {
      const at = countedBeside.test(path) ? [] : fieldsAt(outcome.fields, path)
      for (const field of at) outcome.unmapped.add(field)
      const kind = at[0]?.kind ?? path.replace(/^variables\.\d+\./, '')
      outcome.reports.push({ kind, reason })
    }
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    outcome.fault = error.message
  }
  return outcome
}

/** Said to the reader, but no field that the game would miss: other images and command lines, who sees what. */
const countedBeside = /^(docker_images|images|startup_commands|variables\.\d+\.user_viewable)$/

/** Our own checks of a new config; throws `Invalid`. */
export const checkConfig = ({ config }: EggImport): void => {
  parseGameConfig({ ...config, gameId: '0' })
}
