import type { ParameterDefinition, ParameterDraft } from '../domain/game-config.ts'
import { duplicates, type InputCheck } from '../domain/inputs.ts'
import { patternFault } from './patterns.ts'
import { maxValueLength, valueFault } from './values.ts'

/** More than any known game or egg has. */
const maxDefinitions = 256
const maxOptions = 256
const maxDescriptionLength = 2_000
const maxPatternLength = 1_000

/** Checks what a config declares, and fills in the defaults. `taken` are names that templates know as something else. */
export const parseDefinitions = (
  check: InputCheck,
  given: readonly ParameterDraft[],
  taken: ReadonlySet<string>,
): ParameterDefinition[] => {
  if (given.length > maxDefinitions) {
    check.refuse('parameters', `must not have more than ${maxDefinitions} entries`)
    return []
  }
  const twice = duplicates(given, ({ name }) => name)
  return given.map((draft, index) => {
    const path = `parameters.${index}`
    if (!namePattern.test(draft.name)) check.refuse(`${path}.name`, nameRule)
    if (taken.has(draft.name)) check.refuse(`${path}.name`, 'is what templates call something else')
    if (twice.has(draft.name)) check.refuse(`${path}.name`, 'is the name of more than one parameter')
    const definition = withDefaults(draft)
    const before = check.issues.length
    checkBounds(check, path, definition)
    checkOptions(check, path, definition)
    checkPattern(check, path, definition)
    if (definition.description !== null)
      check.text(`${path}.description`, definition.description, maxDescriptionLength, { lines: true, empty: true })
    if (check.issues.length === before) checkDefault(check, path, definition)
    return definition
  })
}

const withDefaults = (draft: ParameterDraft): ParameterDefinition => ({
  name: draft.name,
  type: draft.type,
  required: draft.required ?? false,
  default: draft.default ?? null,
  min: draft.min ?? null,
  max: draft.max ?? null,
  pattern: draft.pattern ?? null,
  options: draft.options ? [...draft.options] : null,
  description: draft.description ?? null,
  userEditable: draft.userEditable ?? true,
})

const checkBounds = (check: InputCheck, path: string, { type, min, max }: ParameterDefinition): void => {
  const isNumber = type === 'INT' || type === 'FLOAT'
  for (const [key, bound] of Object.entries({ min, max })) {
    if (bound === null) continue
    if (type === 'BOOL' || type === 'ENUM') check.refuse(`${path}.${key}`, `means nothing for a parameter of type ${type}`)
    else if (!Number.isFinite(bound)) check.refuse(`${path}.${key}`, 'must be a number')
    else if (!isNumber && !(Number.isSafeInteger(bound) && bound >= 0 && bound <= maxValueLength))
      check.refuse(`${path}.${key}`, `is a length: a whole number from 0 to ${maxValueLength}`)
  }
  if (min !== null && max !== null && min > max) check.refuse(`${path}.max`, 'must not be less than min')
}

const checkOptions = (check: InputCheck, path: string, { type, options }: ParameterDefinition): void => {
  if (type === 'ENUM' && (options === null || options.length === 0))
    check.refuse(`${path}.options`, 'must have at least one entry')
  if (options === null) return
  if (type !== 'ENUM') check.refuse(`${path}.options`, 'is for parameters of type ENUM')
  if (options.length > maxOptions) check.refuse(`${path}.options`, `must not have more than ${maxOptions} entries`)
  const twice = duplicates(options, (option) => option)
  for (const [index, option] of options.slice(0, maxOptions).entries()) {
    check.text(`${path}.options.${index}`, option, maxValueLength, { empty: true })
    if (twice.has(option)) check.refuse(`${path}.options.${index}`, 'is there more than once')
  }
}

const checkPattern = (check: InputCheck, path: string, { type, pattern }: ParameterDefinition): void => {
  if (pattern === null) return
  if (type !== 'STRING' && type !== 'SECRET') check.refuse(`${path}.pattern`, 'is for parameters of type STRING or SECRET')
  if (check.text(`${path}.pattern`, pattern, maxPatternLength) === undefined) return
  const fault = patternFault(pattern)
  if (fault) check.refuse(`${path}.pattern`, fault)
}

const checkDefault = (check: InputCheck, path: string, definition: ParameterDefinition): void => {
  if (definition.default === null) return
  if (definition.type === 'SECRET') {
    check.refuse(`${path}.default`, 'can not be given for a SECRET: it would be shown to everyone who reads the config')
    return
  }
  const fault = valueFault(definition, definition.default)
  if (fault) check.refuse(`${path}.default`, fault)
}

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/
const nameRule = 'must be 1 to 100 letters, digits or _, and not begin with a digit'
