import type { WriteDocument } from './settings.ts'

/**
 * Beginnings of lines with the whole lines that take their place. Ours are looked for at every start, so a line must begin
 * as what it was found by; Wings finds a comment once, and what it wrote for it never again. As there, a line that is nowhere
 * is not added.
 */
export const writeLines: WriteDocument = (settings, refuse) => {
  const wanted: Record<string, { line: string; append: boolean }> = Object.create(null)
  for (const { key, value } of settings) {
    const line = String(value)
    const old = key.trimStart()
    const begin = line.trimStart().startsWith(old) ? old : ownBeginning(old, line)
    const fault = faultOf(old, begin, line) ?? ((wanted[begin!]?.line ?? line) === line ? undefined : sameBeginning)
    if (fault !== undefined) {
      refuse(key, fault)
      continue
    }
    // What stands there as a comment only is set by a line of its own, wherever that comes from.
    wanted[begin!] = { line, append: begin !== old || wanted[begin!]?.append === true }
    if (begin !== old) refuse(key, 'it is set by a line of its own; a comment like it stays')
  }
  return `${JSON.stringify(wanted, null, 2)}\n`
}

const sameBeginning = 'another one looks for the same beginning of a line'

const faultOf = (old: string, begin: string | undefined, line: string): string | undefined => {
  if (old === '') return 'it would be found in every line'
  if (/(?!\t)[\p{Cc}\u2028\u2029]/u.test(old + line)) return 'it has more than one line, which can not be looked for'
  return begin === undefined ? 'the new line does not begin as the old one, and would not be found again' : undefined
}

/** How `line` itself writes what `old` says without its comment mark, blanks counting for nothing. */
const ownBeginning = (old: string, line: string): string | undefined => {
  const name = withoutBlanks(old.replace(/^(#|\/\/|;|--)+/, ''))
  const signs = [...line.trimStart()]
  const end = signs.findIndex((_, at) => withoutBlanks(signs.slice(0, at + 1).join('')) === name)
  return name === '' || end === -1 ? undefined : signs.slice(0, end + 1).join('')
}
const withoutBlanks = (text: string): string => text.replace(/\s/g, '')
