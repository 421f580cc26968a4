import { RE2JS } from 're2js'
import type { ParameterDefinition } from '../domain/game-config.ts'
import type { InputCheck } from '../domain/inputs.ts'

/** Values by parameter name, as text; null takes a value back. */
export type GivenValues = Map<string, string | null>

export const maxValueLength = 4_096

/** Why a text is no value of this parameter; undefined when it is one. */
export const valueFault = (definition: ParameterDefinition, text: string): string | undefined => {
  const { type, options } = definition
  if ([...text].length > maxValueLength) return `must not be longer than ${maxValueLength} characters`
  if (controls.test(text)) return 'must not contain line breaks or other control characters'
  if (loneSurrogate.test(text)) return 'is not valid Unicode'
  if (type === 'INT') return /^[+-]?\d{1,16}$/.test(text) ? numberFault(definition, Number(text)) : 'must be a whole number'
  if (type === 'FLOAT') return floatPattern.test(text) ? numberFault(definition, Number(text)) : 'must be a number'
  if (type === 'BOOL') return text === 'true' || text === 'false' ? undefined : 'must be true or false'
  if (type === 'ENUM') return options?.includes(text) ? undefined : `must be one of: ${options?.join(', ')}`
  return textFault(definition, text)
}

const numberFault = ({ min, max }: ParameterDefinition, value: number): string | undefined => {
  if (min !== null && value < min) return `must not be less than ${min}`
  if (max !== null && value > max) return `must not be more than ${max}`
  return undefined
}

const textFault = ({ required, min, max, pattern }: ParameterDefinition, text: string): string | undefined => {
  // Left empty is no value, and only for who requires one a fault.
  if (text === '') return required ? 'must not be empty' : undefined
  const length = [...text].length
  if (min !== null && length < min) return `must have at least ${min} characters`
  if (max !== null && length > max) return `must not have more than ${max} characters`
  if (pattern !== null && !RE2JS.compile(pattern).matches(text)) return `must fit the pattern ${pattern}`
  return undefined
}

/**
 * Reads an object of values as clients send it: text, numbers or booleans by name, null to take one back. Each fault goes to
 * `check` at `parameters.<name>`.
 */
export const parseValues = (
  check: InputCheck,
  given: unknown,
  definitions: readonly ParameterDefinition[],
  root = 'parameters',
): GivenValues => {
  const values: GivenValues = new Map()
  if (given == null) return values
  const object = check.object(root, given, maxBytes)
  const byName = new Map(definitions.map((definition) => [definition.name, definition]))
  for (const [name, value] of Object.entries(object ?? {})) {
    const path = `${root}.${name.slice(0, 100)}`
    const definition = byName.get(name)
    if (!definition) {
      check.refuse(path, `is not a parameter of the game config (it declares: ${[...byName.keys()].join(', ') || 'none'})`)
      continue
    }
    const text = textOf(definition, value)
    if (text === undefined) check.refuse(path, 'must be text, a number, a boolean or null')
    else {
      const fault = text === null ? undefined : valueFault(definition, text)
      if (fault) check.refuse(path, fault)
      else values.set(name, text)
    }
  }
  return values
}

const textOf = ({ type }: ParameterDefinition, value: unknown): string | null | undefined => {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  // 1e21 would be no whole number any more; as text it stays what was sent.
  return type === 'INT' && Number.isInteger(value) ? BigInt(value).toString() : String(value)
}

/** From where a parameter has its value. */
export const valueSources = ['DEFAULT', 'DEPLOYMENT', 'SESSION', 'NONE'] as const

/** What a parameter has in the end. */
export interface ParameterValue {
  name: string
  /** Null without a value, and for a SECRET. */
  value: string | null
  source: (typeof valueSources)[number]
}

export interface Resolved {
  values: ParameterValue[]
  /** By name, what is not secret; empty text where there is no value. */
  plain: Map<string, string>
  secrets: Map<string, string>
}

export interface Levels {
  definitions: readonly ParameterDefinition[]
  deployment: ReadonlyMap<string, string | null>
  session: ReadonlyMap<string, string | null>
}

/**
 * The value of each parameter: of the session, else of the deployment, else the default. A config may have changed since a
 * value was given, so each is looked at again; what it does not declare any more has no meaning. Faults go to `check`.
 */
export const resolveParameters = (check: InputCheck, { definitions, deployment, session }: Levels): Resolved => {
  const resolved: Resolved = { values: [], plain: new Map(), secrets: new Map() }
  for (const definition of definitions) {
    const { name, type } = definition
    const { text, source } = pick(definition, session.get(name), deployment.get(name))
    const isSecret = type === 'SECRET'
    resolved.values.push({ name, value: isSecret ? null : text, source })
    if (isSecret && text !== null && text !== '') resolved.secrets.set(name, text)
    else resolved.plain.set(name, text ?? '')
    const fault = text === null ? missing(definition) : valueFault(definition, text)
    if (fault) check.refuse(`parameters.${name}`, source === 'DEPLOYMENT' ? `${fault} (as the deployment has it)` : fault)
  }
  return resolved
}

const pick = (
  definition: ParameterDefinition,
  session: string | null | undefined,
  deployment: string | null | undefined,
): { text: string | null; source: ParameterValue['source'] } => {
  if (session != null) return { text: session, source: 'SESSION' }
  if (deployment != null) return { text: deployment, source: 'DEPLOYMENT' }
  if (definition.default !== null) return { text: definition.default, source: 'DEFAULT' }
  return { text: null, source: 'NONE' }
}

const missing = ({ required }: ParameterDefinition): string | undefined =>
  required ? 'has no value, and is required' : undefined

const maxBytes = 256 * 1024
const floatPattern = /^[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?$/
const controls = /[\p{Cc}\u2028\u2029]/u
const loneSurrogate = /\p{Cs}/u
