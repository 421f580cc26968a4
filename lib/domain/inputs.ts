import { type InputIssue, Invalid } from './errors.ts'

/**
 * Gathers the faults of one input, so that its sender learns all of them at once. Each check answers the value when it
 * is good and undefined when it was refused; after the last one `throwIfAny` ends the matter.
 */
export const makeInputCheck = () => {
  const issues: InputIssue[] = []
  const refuse = (path: string, message: string): undefined => {
    issues.push({ path, message })
  }

  /** Text of at most `max` characters that PostgreSQL, a terminal and a log line can all hold. */
  const text = (
    path: string,
    value: string,
    max: number,
    options: { lines?: boolean; empty?: boolean } = {},
  ): string | undefined => {
    if (value.length > max * 2 || [...value].length > max) return refuse(path, `must not be longer than ${max} characters`)
    if (!options.empty && value.trim() === '') return refuse(path, 'must not be empty')
    if (loneSurrogate.test(value)) return refuse(path, 'is not valid Unicode')
    if (value.includes('\0')) return refuse(path, 'must not contain a NUL character')
    if (!options.lines && controls.test(value)) return refuse(path, 'must not contain line breaks or other control characters')
    return value
  }

  return {
    issues: issues as readonly InputIssue[],
    refuse,
    text,
    /** What people call a thing: 1 to 100 characters on one line, and no space at either end. */
    name: (path: string, value: string): string | undefined => {
      if (text(path, value, maxNameLength) === undefined) return undefined
      return value === value.trim() ? value : refuse(path, 'must not begin or end with a space')
    },
    integer: (path: string, value: number, min: number, max: number): number | undefined =>
      Number.isSafeInteger(value) && value >= min && value <= max
        ? value
        : refuse(path, `must be a whole number from ${min} to ${max}`),
    /** A JSON object that fits into a jsonb column, at most `maxBytes` long as text. */
    object: (path: string, value: unknown, maxBytes: number): Record<string, unknown> | undefined => {
      if (!isObject(value)) return refuse(path, 'must be a JSON object')
      const fault = jsonFault(value)
      if (fault) return refuse(path, fault)
      const bytes = Buffer.byteLength(JSON.stringify(value))
      return bytes <= maxBytes ? value : refuse(path, `must not be longer than ${maxBytes} bytes as JSON`)
    },
    /** Names every fault found so far, in the order of the checks. */
    throwIfAny: (): void => {
      if (issues.length > 0) throw new Invalid(issues)
    },
  }
}

export type InputCheck = ReturnType<typeof makeInputCheck>

export const maxNameLength = 100

/** The keys that more than one item has. */
export const duplicates = <Item>(items: readonly Item[], keyOf: (item: Item) => string): Set<string> => {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const key of items.map(keyOf)) (seen.has(key) ? twice : seen).add(key)
  return twice
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const loneSurrogate = /\p{Cs}/u
const controls = /[\p{Cc}\u2028\u2029]/u
const maxJsonDepth = 32

/** What PostgreSQL's jsonb would refuse, or what would take it too long to. */
const jsonFault = (value: unknown, depth = 0): string | undefined => {
  if (depth > maxJsonDepth) return `must not be nested deeper than ${maxJsonDepth} levels`
  if (typeof value === 'string' && value.includes('\0')) return 'must not contain a NUL character'
  if (typeof value === 'string' && loneSurrogate.test(value)) return 'is not valid Unicode'
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const fault = jsonFault(key, depth) ?? jsonFault(inner, depth + 1)
    if (fault) return fault
  }
  return undefined
}
