import type { ParameterDraft } from '../domain/game-config.ts'
import { fits, fromPhp, isPattern, quoted } from './patterns.ts'
import type { Report } from './report.ts'
import { listOf, type Rule } from './rules.ts'
import type { EggVariable } from './source.ts'

/** What the rules say together, before it is cast into one type. */
interface Limits {
  type: 'STRING' | 'INT' | 'FLOAT'
  required: boolean
  min: number | null
  max: number | null
  pattern: string | null
  options: string[] | null
  /** Too long for a number, as a Steam id: digits, kept as text, whose limits would be of its length. */
  long: boolean
}

/** Of our own checks. */
const maxDescription = 1_000
const maxOptions = 256
const maxLength = 4_096

/** An egg's variable as a parameter of ours; what does not fit is reported under `path`. */
export const readParameter = (variable: EggVariable, rules: readonly Rule[], path: string, report: Report): ParameterDraft => {
  const limits = readLimits(rules, variable.default_value ?? '', report)
  const given = variable.default_value ?? ''
  const parameter: ParameterDraft = {
    name: variable.env_variable,
    type: limits.options ? 'ENUM' : limits.type === 'STRING' && isSecret(variable.env_variable, given) ? 'SECRET' : limits.type,
    required: limits.required,
    default: given === '' ? null : given,
    min: limits.options ? null : limits.min,
    max: limits.options ? null : limits.max,
    pattern: limits.options ? null : limits.pattern,
    options: limits.options,
    description: describe(variable),
    userEditable: (variable.user_editable ?? false) && (variable.user_viewable ?? true),
  }
  if (given !== '' && !isValid(parameter, given)) {
    report(`${path}.default_value`, 'the default breaks the rules of its own variable; there is none now')
    parameter.default = null
  }
  return parameter
}

/** A name as of a password, and no default: what has one is in everybody's egg. */
const isSecret = (name: string, value: string): boolean =>
  value === '' && /(?<!BY|COM)PASS(_|$)|PASSW|PASSPHRASE|(^|_)PW$|(TOKEN|SECRET)(_|$)|(API|PRIVATE|AUTH)_?KEY/i.test(name)

const describe = ({ name, description }: EggVariable): string | null => {
  const oneLine = (text: string | null | undefined): string => (text ?? '').replace(/[\p{Cc}\p{Cs}\u2028\u2029\s]+/gu, ' ').trim()
  const whole = [oneLine(name), oneLine(description)].filter((text) => text !== '').join(': ')
  return whole === '' ? null : [...whole].slice(0, maxDescription).join('')
}

/** A rule's meaning; false for arguments it can't be read with. */
type Meaning = (limits: Limits, args: string, value: string) => boolean | undefined

const readLimits = (rules: readonly Rule[], value: string, report: Report): Limits => {
  const long = isLong(rules, value)
  const type = long ? 'STRING' : typeOf(rules)
  const limits: Limits = { type, required: false, min: null, max: null, pattern: null, options: null, long }
  // A regex says most, and only one pattern can be kept.
  const ordered = [...rules].sort((a, b) => Number(b.name === 'regex') - Number(a.name === 'regex'))
  for (const rule of ordered) {
    const meaning = Object.hasOwn(meanings, rule.name) ? meanings[rule.name] : undefined
    if (!meaning) report(rule.path, `there is no rule like ${rule.name.slice(0, 40)}`)
    else if (meaning(limits, rule.args, value) === false)
      report(rule.path, `what ${rule.name} asks for can't be said in a parameter's limits`)
  }
  if (long) limits.pattern ??= '-?[0-9]+'
  if (limits.min !== null && limits.max !== null && limits.min > limits.max) {
    report(rules.at(-1)!.path, 'no value fits all limits of this variable; it has none now')
    Object.assign(limits, { min: null, max: null })
  }
  return limits.options ? { ...limits, options: allowed(limits, rules, report) } : limits
}

/** Digits that a number holds for sure; a Steam id has 17. */
const maxDigits = 15

const isLong = (rules: readonly Rule[], value: string): boolean => {
  const sizes = rules.filter(({ name }) => /^(min|max|between|size|[gl]te?)$/.test(name)).flatMap(({ args }) => args.split(','))
  const counts = rules.filter(({ name }) => /^digits/.test(name)).flatMap(({ args }) => args.split(',').map(Number))
  const digits = Math.max(0, ...[value, ...sizes].map((text) => (/^\d+$/.test(text) ? text.length : 0)), ...counts)
  return digits > maxDigits && rules.some(({ name }) => ['integer', 'int', 'numeric'].includes(name))
}

const typeOf = (rules: readonly Rule[]): Limits['type'] => {
  const has = (...names: string[]): boolean => rules.some(({ name }) => names.includes(name))
  if (has('integer', 'int')) return 'INT'
  if (has('numeric')) return has('digits', 'digits_between') ? 'INT' : 'FLOAT'
  return has('decimal') ? 'FLOAT' : 'STRING'
}

/** The options that all other rules allow too. */
const allowed = (limits: Limits, rules: readonly Rule[], report: Report): string[] => {
  const distinct = [...new Set(limits.options)].filter((option) => option !== '')
  const { type, min, max, pattern } = limits
  const left = distinct.filter((option) => isValid({ name: '', type, min, max, pattern }, option))
  if (left.length > 0) return left
  const closed = rules.find(({ name }) => name === 'in' || name === 'boolean')
  report(closed!.path, 'no value fits this rule and all others; only this one is kept')
  return distinct
}

const number = (text: string): number | undefined => (/^\s*-?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined)

const setMin = (limits: Limits, value: number | undefined): boolean => {
  if (limits.type === 'STRING' && (value ?? 0) > maxLength) return false
  if (limits.long || value === undefined || !Number.isSafeInteger(Math.trunc(value))) return false
  const least = limits.type === 'FLOAT' ? value : Math.ceil(value)
  limits.min = Math.max(limits.min ?? least, limits.type === 'STRING' ? Math.max(0, least) : least)
  return true
}
const setMax = (limits: Limits, value: number | undefined): boolean => {
  if (limits.long || value === undefined || !Number.isSafeInteger(Math.trunc(value))) return false
  if (limits.type === 'STRING' && value < 0) return false
  // Longer ones are refused anyway.
  if (limits.type === 'STRING' && value > maxLength) return true
  const most = limits.type === 'FLOAT' ? value : Math.floor(value)
  limits.max = Math.min(limits.max ?? most, most)
  return true
}
const setPattern = (limits: Limits, pattern: string | undefined): boolean => {
  if (pattern === undefined || limits.pattern !== null || limits.type !== 'STRING' || !isPattern(pattern)) return false
  limits.pattern = pattern
  return true
}
const setBetween: Meaning = (limits, args) => {
  const [min, max, ...more] = args.split(',').map(number)
  return more.length === 0 && min !== undefined && max !== undefined && setMin(limits, min) && setMax(limits, max)
}
const setDigits = (limits: Limits, least: number | undefined, most: number | undefined): boolean => {
  if (least === undefined || most === undefined || least < 1 || most < least || most > 1_000) return false
  if (limits.type === 'STRING') return setPattern(limits, `[0-9]{${least},${most}}`)
  return most <= maxDigits && setMin(limits, least === 1 ? 0 : 10 ** (least - 1)) && setMax(limits, 10 ** most - 1)
}
/** Of letters and so on; a number is one anyway. */
const letters =
  (unicode: string, ascii: string): Meaning =>
  (limits, args) =>
    limits.type !== 'STRING' || setPattern(limits, `[${args.trim() === 'ascii' ? ascii : unicode}]+`)
const shape =
  (pattern: string): Meaning =>
  (limits) =>
    setPattern(limits, pattern)
const nothing: Meaning = () => true
const require: Meaning = (limits) => {
  limits.required = true
  return true
}
const ipv4 = String.raw`(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)`
const ipv6 = '[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*'

/** Laravel's rules that can be said here. Each makes the limits narrower. */
const meanings: Readonly<Record<string, Meaning>> = {
  required: require,
  nullable: nothing,
  present: nothing,
  filled: nothing,
  sometimes: nothing,
  bail: nothing,
  string: nothing,
  integer: nothing,
  int: nothing,
  numeric: nothing,
  decimal: (_, args) => args.trim() === '' || /^0,/.test(args.trim()),
  boolean: (limits, _, value) => {
    const written = [
      ['true', 'false'],
      ['True', 'False'],
    ].find((pair) => pair.includes(value))
    limits.options ??= written ?? ['0', '1']
    return true
  },
  bool: (limits, args, value) => meanings.boolean!(limits, args, value),
  in: (limits, args) => {
    const options = listOf(args).map((option) => option.trim())
    if (!options.some((option) => option !== '') || options.length > maxOptions || !options.every(isWritable)) return false
    limits.options = options
    return true
  },
  min: (limits, args) => setMin(limits, number(args)),
  max: (limits, args) => setMax(limits, number(args)),
  gte: (limits, args) => setMin(limits, number(args)),
  lte: (limits, args) => setMax(limits, number(args)),
  gt: (limits, args) => limits.type !== 'FLOAT' && setMin(limits, Math.floor(number(args) ?? Number.NaN) + 1),
  lt: (limits, args) => limits.type !== 'FLOAT' && setMax(limits, Math.ceil(number(args) ?? Number.NaN) - 1),
  between: setBetween,
  size: (limits, args) => setMin(limits, number(args)) && setMax(limits, number(args)),
  digits: (limits, args) => setDigits(limits, number(args), number(args)),
  digits_between: (limits, args) => setDigits(limits, number(args.split(',')[0] ?? ''), number(args.split(',')[1] ?? '')),
  min_digits: (limits, args) => setDigits(limits, number(args), limits.type === 'STRING' ? 1_000 : maxDigits),
  max_digits: (limits, args) => setDigits(limits, 1, number(args)),
  regex: (limits, args) => setPattern(limits, fromPhp(args)),
  alpha: letters(String.raw`\p{L}\p{M}`, 'A-Za-z'),
  alpha_num: letters(String.raw`\p{L}\p{M}\p{N}`, 'A-Za-z0-9'),
  alpha_dash: letters(String.raw`\p{L}\p{M}\p{N}_-`, 'A-Za-z0-9_-'),
  ascii: shape('[\\x00-\\x7f]*'),
  lowercase: shape(String.raw`[^\p{Lu}]*`),
  uppercase: shape(String.raw`[^\p{Ll}]*`),
  url: shape(String.raw`[A-Za-z][A-Za-z0-9+.-]*://\S+`),
  active_url: shape(String.raw`[A-Za-z][A-Za-z0-9+.-]*://\S+`),
  email: shape(String.raw`[^@\s]+@[^@\s]+`),
  ip: shape(`${ipv4}|${ipv6}`),
  ipv4: shape(ipv4),
  ipv6: shape(ipv6),
  uuid: shape('[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}'),
  starts_with: (limits, args) => setPattern(limits, `(?:${listOf(args).map(quoted).join('|')})(?s:.*)`),
  ends_with: (limits, args) => setPattern(limits, `(?s:.*)(?:${listOf(args).map(quoted).join('|')})`),
}

/** On one line, and not too long. */
const isWritable = (value: string): boolean => !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value) && [...value].length <= maxLength

type Checked = Pick<ParameterDraft, 'name' | 'type' | 'min' | 'max' | 'pattern' | 'options'>

/** True when `value` could be given for the parameter. */
const isValid = ({ type, min, max, pattern, options }: Checked, value: string): boolean => {
  if (options) return options.includes(value)
  if (type === 'INT' && !/^-?\d+$/.test(value)) return false
  if (type === 'FLOAT' && !/^-?\d+(\.\d+)?$/.test(value)) return false
  const size = type === 'INT' || type === 'FLOAT' ? Number(value) : [...value].length
  return isWritable(value) && size >= (min ?? size) && size <= (max ?? size) && (pattern == null || fits(pattern, value))
}
