import { RE2JS } from 're2js'
import { JobFailed } from './errors.ts'

/**
 * What the globs of a backup mean, here and nowhere else. A path is relative to its volume, with `/` between names. `*` and
 * `?` stand for characters of one name, `**` for any number of names, `[a-z]` and `[!a-z]` for one character, `{a,b}` for
 * either; `\` takes the next character as it is. A pattern without `/` fits a name at any depth, one with `/` (also in front)
 * the whole path. Names that begin with a dot are like any other. What fits as a directory fits with all that is in it.
 * They become RE2, so that no pattern can hang the agent on a name that a game has made up.
 */
export const compileGlobs = (globs: readonly string[]): ((path: string) => boolean) => {
  const patterns = globs.map((glob) => glob.replace(/\/+$/, '')).filter((glob) => glob !== '')
  if (patterns.length === 0) return () => false
  const compiled = RE2JS.compile(patterns.map(toRe2).join('|'), RE2JS.DOTALL)
  return (path) => compiled.matcher(path).matches()
}

const toRe2 = (glob: string): string => {
  const anywhere = glob.includes('/') ? '' : '(?:.*/)?'
  const source = anywhere + translate(glob.replace(/^\/+/, ''))
  try {
    RE2JS.compile(source)
  } catch (error) {
    throw new JobFailed(`The pattern ${glob} of what is backed up is none: ${(error as Error).message}`)
  }
  return `(?:${source})`
}

/** One after the other, the longest first: what none of them takes is a character that stands for itself. */
const pieces = /\*\*\/|\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|\\.|[{},]|./gsu

const meanings = new Map([
  ['**/', '(?:[^/]+/)*'],
  ['**', '.*'],
  ['*', '[^/]*'],
  ['?', '[^/]'],
])

const translate = (glob: string): string => {
  let depth = 0
  const piece = ({ 0: text, index }: RegExpExecArray): string => {
    const fixed = meanings.get(text)
    if (fixed !== undefined) return fixed
    if (text.length > 2 && text.startsWith('[')) return characterClass(text)
    if (text === '{' && glob.indexOf('}', index) > index) {
      depth++
      return '(?:'
    }
    if (text === '}' && depth > 0) {
      depth--
      return ')'
    }
    if (text === ',' && depth > 0) return '|'
    return RE2JS.quote(text.length > 1 && text.startsWith('\\') ? text.slice(1) : text)
  }
  const source = [...glob.matchAll(pieces)].map(piece).join('')
  return source + ')'.repeat(depth)
}

const characterClass = (piece: string): string => {
  const isNot = /^\[[!^]/.test(piece)
  const inner = piece.slice(isNot ? 2 : 1, -1).replace(/[[\]\\&~]/g, '\\$&')
  return isNot ? `[^/${inner}]` : `[${inner}]`
}
