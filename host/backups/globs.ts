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

const translate = (glob: string): string => {
  let depth = 0
  let source = ''
  const closes = (at: number): boolean => glob.indexOf('}', at) > at
  for (const { 0: piece, index } of glob.matchAll(pieces)) {
    if (piece === '**/') source += '(?:[^/]+/)*'
    else if (piece === '**') source += '.*'
    else if (piece === '*') source += '[^/]*'
    else if (piece === '?') source += '[^/]'
    else if (piece.length > 2 && piece.startsWith('[')) source += characterClass(piece)
    else if (piece === '{' && closes(index)) {
      depth++
      source += '(?:'
    } else if (piece === '}' && depth > 0) {
      depth--
      source += ')'
    } else if (piece === ',' && depth > 0) source += '|'
    else source += RE2JS.quote(piece.startsWith('\\') && piece.length > 1 ? piece.slice(1) : piece)
  }
  return source + ')'.repeat(depth)
}

const characterClass = (piece: string): string => {
  const isNot = /^\[[!^]/.test(piece)
  const inner = piece.slice(isNot ? 2 : 1, -1).replace(/[[\]\\&~]/g, '\\$&')
  return isNot ? `[^/${inner}]` : `[${inner}]`
}
