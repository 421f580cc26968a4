import type { InputCheck } from '../domain/inputs.ts'
import type { Permission } from '../domain/permissions.ts'

export const stepKinds = ['START', 'STOP', 'RESTART', 'BACKUP', 'ACTION', 'COMMAND', 'WAIT'] as const
export type StepKind = (typeof stepKinds)[number]
export const onFailures = ['STOP', 'CONTINUE'] as const

/** Typed into the console so long before a restart. */
export interface Warning {
  secondsBefore: number
  line: string
}

/** One step of a schedule; what its kind has no use for is null. */
export interface Step {
  kind: StepKind
  onFailure: (typeof onFailures)[number]
  /** RESTART: the earliest first. */
  warnings: Warning[] | null
  /** ACTION: of the game, by id. */
  actionId: string | null
  values: Record<string, unknown> | null
  /** COMMAND. */
  line: string | null
  /** WAIT. */
  seconds: number | null
}

export interface StepInput {
  kind: StepKind
  onFailure?: Step['onFailure'] | null
  warnings?: readonly Warning[] | null
  actionId?: string | number | null
  values?: unknown
  line?: string | null
  seconds?: number | null
}

export const maxSteps = 30
const maxWarnings = 20
const maxSeconds = 24 * 60 * 60
const maxLineBytes = 4 * 1024
const maxValuesBytes = 64 * 1024

type Field = 'warnings' | 'actionId' | 'values' | 'line' | 'seconds'

const fieldsOf: Record<StepKind, readonly Field[]> = {
  START: [],
  STOP: [],
  RESTART: ['warnings'],
  BACKUP: [],
  ACTION: ['actionId', 'values'],
  COMMAND: ['line'],
  WAIT: ['seconds'],
}

const permissionOf: Record<StepKind, Permission | undefined> = {
  START: 'CONTROL',
  STOP: 'CONTROL',
  RESTART: 'CONTROL',
  BACKUP: 'BACKUPS',
  ACTION: 'CONSOLE',
  COMMAND: 'CONSOLE',
  WAIT: undefined,
}

/** What somebody must hold who has these steps done: what they would need to do each of them by hand. */
export const permissionsFor = (steps: readonly Pick<StepInput, 'kind' | 'warnings'>[]): Permission[] => {
  const needed = steps.flatMap(({ kind, warnings }) => [permissionOf[kind], warnings?.length ? 'CONSOLE' : undefined] as const)
  return [...new Set(needed)].filter((permission) => permission !== undefined)
}

/** Checks steps and fills in the defaults. `actionIds` are those that the deployment's game knows. */
export const parseSteps = (check: InputCheck, given: readonly StepInput[], actionIds: ReadonlySet<string>): Step[] => {
  if (given.length === 0) check.refuse('steps', 'must have at least one entry')
  if (given.length > maxSteps) {
    check.refuse('steps', `must not have more than ${maxSteps} entries`)
    return []
  }
  return given.map((step, index) => parseStep(check, `steps.${index}`, step, actionIds))
}

const parseStep = (check: InputCheck, path: string, given: StepInput, actionIds: ReadonlySet<string>): Step => {
  const { kind } = given
  const own = fieldsOf[kind]
  for (const field of ['warnings', 'actionId', 'values', 'line', 'seconds'] as const)
    if (given[field] != null && !own.includes(field)) check.refuse(`${path}.${field}`, `is not of a step ${kind}`)
  const has = (field: Field) => own.includes(field)
  return {
    kind,
    onFailure: given.onFailure ?? 'STOP',
    warnings: has('warnings') ? parseWarnings(check, `${path}.warnings`, given.warnings ?? []) : null,
    actionId: has('actionId') ? parseAction(check, `${path}.actionId`, given.actionId, actionIds) : null,
    values: has('values') ? (check.object(`${path}.values`, given.values ?? {}, maxValuesBytes) ?? null) : null,
    line: has('line') ? parseLine(check, `${path}.line`, given.line) : null,
    seconds: has('seconds') ? parseSeconds(check, `${path}.seconds`, given.seconds) : null,
  }
}

const parseWarnings = (check: InputCheck, path: string, given: readonly Warning[]): Warning[] => {
  if (given.length > maxWarnings) {
    check.refuse(path, `must not have more than ${maxWarnings} entries`)
    return []
  }
  for (const [index, { secondsBefore, line }] of given.entries()) {
    check.integer(`${path}.${index}.secondsBefore`, secondsBefore, 1, maxSeconds)
    parseLine(check, `${path}.${index}.line`, line)
  }
  return given.map(({ secondsBefore, line }) => ({ secondsBefore, line })).toSorted((a, b) => b.secondsBefore - a.secondsBefore)
}

const parseAction = (check: InputCheck, path: string, id: StepInput['actionId'], known: ReadonlySet<string>): string | null => {
  if (id == null) return check.refuse(path, 'must be given') ?? null
  if (!known.has(String(id))) check.refuse(path, 'is no action of this deployment')
  return String(id)
}

/** As the console of a session takes it. */
const parseLine = (check: InputCheck, path: string, line: string | null | undefined): string | null => {
  if (line == null) return check.refuse(path, 'must be given') ?? null
  if (/[\r\n]/.test(line)) check.refuse(path, 'must be one line, without a line break')
  if (line.includes('\0')) check.refuse(path, 'must not contain a NUL character')
  if (Buffer.byteLength(line) > maxLineBytes) check.refuse(path, `must not be longer than ${maxLineBytes} bytes`)
  return line
}

const parseSeconds = (check: InputCheck, path: string, seconds: number | null | undefined): number | null =>
  (seconds == null ? check.refuse(path, 'must be given') : check.integer(path, seconds, 1, maxSeconds)) ?? null
