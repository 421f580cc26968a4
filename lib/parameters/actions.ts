import type { ActionDraft, ActionInputDraft, ParameterDefinition } from '../domain/game-config.ts'
import { duplicates, type InputCheck } from '../domain/inputs.ts'
import { renderTemplate, templateFaults, templateNames } from '../domain/template.ts'
import { patternFault } from './patterns.ts'
import { valueFault } from './values.ts'

/** An action as it is kept: a draft with everything filled in, and the id by which it is run. */
export interface Action {
  id: string
  name: string
  label: string
  template: string
  inputs: ActionInput[]
  confirm: string | null
}

export interface ActionInput
  extends Required<Omit<ActionInputDraft, 'label' | 'default' | 'min' | 'max' | 'options' | 'pattern' | 'required'>> {
  label: string | null
  required: boolean
  default: string | null
  min: number | null
  max: number | null
  options: readonly string[] | null
  pattern: string | null
}

const maxActions = 64
const maxInputs = 16
const maxTextLength = 500
const maxTemplateLength = 2_000

export type NewAction = Omit<Action, 'id'>

/** An action that was there under its name keeps its id. */
export const withIds = (actions: readonly NewAction[], before: readonly Action[], newId: () => string): Action[] =>
  actions.map((action) => ({ ...action, id: before.find(({ name }) => name === action.name)?.id ?? newId() }))

/** What can be run where several levels have actions: of those with one name the last. */
export const mergeActions = (...levels: readonly (readonly Action[])[]): Action[] => [
  ...new Map(levels.flat().map((action) => [action.name, action])).values(),
]

/** Checks actions and fills in the defaults. `names` are what templates know beside the inputs. */
export const parseActions = (check: InputCheck, given: readonly ActionDraft[], names: ReadonlySet<string>): NewAction[] => {
  if (given.length > maxActions) {
    check.refuse('actions', `must not have more than ${maxActions} entries`)
    return []
  }
  const twice = duplicates(given, ({ name }) => name)
  return given.map((draft, index) => {
    const path = `actions.${index}`
    if (!namePattern.test(draft.name))
      check.refuse(`${path}.name`, 'must be 1 to 50 letters, digits, - or _, and begin with a letter')
    if (twice.has(draft.name)) check.refuse(`${path}.name`, 'is the name of more than one action')
    check.text(`${path}.label`, draft.label, maxTextLength)
    if (draft.confirm != null) check.text(`${path}.confirm`, draft.confirm, maxTextLength)
    const inputs = parseInputs(check, path, draft.inputs ?? [], names)
    if (check.text(`${path}.template`, draft.template, maxTemplateLength) !== undefined) {
      const known = new Set([...names, ...inputs.map(({ name }) => name)])
      for (const fault of templateFaults(draft.template, known)) check.refuse(`${path}.template`, fault)
    }
    return {
      name: draft.name,
      label: draft.label,
      template: draft.template,
      inputs,
      confirm: draft.confirm ?? null,
    }
  })
}

const parseInputs = (
  check: InputCheck,
  root: string,
  given: readonly ActionInputDraft[],
  names: ReadonlySet<string>,
): ActionInput[] => {
  if (given.length > maxInputs) check.refuse(`${root}.inputs`, `must not have more than ${maxInputs} entries`)
  const twice = duplicates(given, ({ name }) => name)
  return given.slice(0, maxInputs).map((draft, index) => {
    const path = `${root}.inputs.${index}`
    const input = withDefaults(draft)
    if (!inputPattern.test(input.name))
      check.refuse(`${path}.name`, 'must be 1 to 50 letters, digits or _, and begin with a letter')
    if (twice.has(input.name)) check.refuse(`${path}.name`, 'is the name of more than one input')
    if (names.has(input.name)) check.refuse(`${path}.name`, 'is what templates call something else')
    if (input.label !== null) check.text(`${path}.label`, input.label, maxTextLength)
    checkBounds(check, path, input)
    return input
  })
}

const withDefaults = (draft: ActionInputDraft): ActionInput => ({
  name: draft.name,
  type: draft.type,
  label: draft.label ?? null,
  required: draft.required ?? true,
  default: draft.default ?? null,
  min: draft.min ?? null,
  max: draft.max ?? null,
  options: draft.options ? [...draft.options] : null,
  pattern: draft.pattern ?? null,
})

const checkBounds = (check: InputCheck, path: string, input: ActionInput): void => {
  const { type, options, pattern, min, max } = input
  if ((type === 'ENUM') !== (options !== null && options.length > 0))
    check.refuse(`${path}.options`, 'belong to an input of type ENUM')
  if (min !== null && max !== null && min > max) check.refuse(`${path}.max`, 'must not be less than min')
  const wrong = pattern === null ? undefined : patternFault(pattern)
  if (wrong) {
    check.refuse(`${path}.pattern`, wrong)
    return
  }
  if (input.default === null) return
  const fault = inputFault(input, input.default)
  if (fault) check.refuse(`${path}.default`, fault)
}

/** What many consoles take for the end of a word or of a command. A pattern of the input's own says better what may be. */
const separators = /[;"]/

const inputFault = (input: ActionInput, text: string): string | undefined => {
  const definition: ParameterDefinition = { ...input, description: null, userEditable: true }
  const fault = valueFault(definition, text)
  if (fault) return fault
  return input.type === 'STRING' && input.pattern === null && separators.test(text) ? 'must not contain ; or "' : undefined
}

/**
 * The line to type for an action with `given` values; `values` are of the session. Faults go to `check` at `values.<name>`.
 * A value never becomes a second line, nor a second command where the input has no pattern that allows it.
 */
export const renderAction = (
  check: InputCheck,
  action: Action,
  given: Readonly<Record<string, unknown>>,
  values: ReadonlyMap<string, string>,
): string | undefined => {
  const names = new Set(action.inputs.map(({ name }) => name))
  for (const name of Object.keys(given))
    if (!names.has(name))
      check.refuse(
        `values.${name.slice(0, 100)}`,
        `is not an input of ${action.name} (it has: ${[...names].join(', ') || 'none'})`,
      )
  const filled = new Map([
    ...values,
    ...action.inputs.map((input) => [input.name, fillIn(check, input, given[input.name])] as const),
  ])
  if (check.issues.length > 0) return undefined
  // What a config declares now, a session that was begun before may not have.
  const missing = templateNames(action.template).filter((name) => !filled.has(name))
  return renderTemplate(action.template, new Map([...filled, ...missing.map((name) => [name, ''] as const)]))
}

const fillIn = (check: InputCheck, input: ActionInput, given: unknown): string => {
  const path = `values.${input.name}`
  const sent = textOf(given)
  const text = sent === null ? input.default : sent
  if (text === undefined) check.refuse(path, 'must be text, a number or a boolean')
  else if (text !== null) {
    const fault = inputFault(input, text)
    if (fault) check.refuse(path, fault)
  } else if (input.required) check.refuse(path, 'has no value, and is required')
  return text ?? ''
}

/** Null without a value, undefined for what can't be one. */
const textOf = (value: unknown): string | null | undefined => {
  if (value == null) return null
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined
}

const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,49}$/
const inputPattern = /^[A-Za-z][A-Za-z0-9_]{0,49}$/
