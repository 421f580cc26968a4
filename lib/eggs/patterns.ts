import { RE2JS, RE2JSException } from 're2js'
import { closing } from './rules.ts'

/** Of our own checks (`subgraphs/configs`). */
const maxPatternLength = 1_000

/** True for a pattern that can be kept: RE2 syntax, not too long, one line. */
export const isPattern = (pattern: string): boolean => {
  if (pattern.length > maxPatternLength || /[\p{Cc}\u2028\u2029]|\p{Cs}/u.test(pattern)) return false
  try {
    RE2JS.compile(pattern)
    return true
  } catch (error) {
    if (error instanceof RE2JSException) return false
    throw error
  }
}

export const fits = (pattern: string, value: string): boolean => RE2JS.compile(pattern).matches(value)

/**
 * A PHP pattern with its delimiters, which may be found anywhere in a value, as an RE2 pattern that the whole value must
 * fit; undefined when RE2 has nothing like it.
 */
export const fromPhp = (given: string): string | undefined => {
  const text = given.trim()
  const open = text[0] ?? ''
  const end = text.lastIndexOf(closing(open))
  const flags = text.slice(end + 1)
  if (!/[^\w\s\\]/.test(open) || end <= 0 || !/^[imsuD]*$/.test(flags)) return undefined
  const body = text.slice(1, end).replace(/\\(.)/gs, (pair, sign) => (sign === '/' ? '/' : pair))
  const kept = [...'ims'].filter((flag) => flags.includes(flag)).join('')
  const pattern = `${kept && `(?${kept})`}${flags.includes('m') ? anywhere(body) : asWhole(body)}`
  return isPattern(pattern) ? pattern : undefined
}

const asWhole = (body: string): string => /^\^([^|]*[^\\|])\$$/.exec(body)?.[1] ?? anywhere(body)
const anywhere = (body: string): string => `(?s:.*)(?:${body})(?s:.*)`

/** Literal text as a pattern of one line. */
export const quoted = (text: string): string =>
  text
    .replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
    .replace(/[\p{Cc}\u2028\u2029]/gu, (sign) => `\\x{${sign.codePointAt(0)!.toString(16)}}`)
