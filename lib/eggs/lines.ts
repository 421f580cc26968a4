import type { WriteDocument } from './settings.ts'

/**
 * Beginnings of lines with the whole lines that take their place. Ours are looked for at every start, so a line must begin
 * as what it was found by; Wings finds a comment once, and what it wrote for it never again.
 */
export const writeLines: WriteDocument = (settings, refuse) => {
  const wanted: Record<string, string> = Object.create(null)
  for (const { key, value } of settings) {
    const line = String(value)
    const old = key.trimStart()
    const begin = line.trimStart().startsWith(old) ? old : ownBeginning(old, line)
    if (old === '') refuse(key, 'it would be found in every line')
    else if (/(?!\t)[\p{Cc}\u2028\u2029]/u.test(key + line)) refuse(key, 'it has more than one line, which can not be looked for')
    else if (begin === undefined) refuse(key, 'the new line does not begin as the old one, and would not be found again')
    else if ((wanted[begin] ?? line) !== line) refuse(key, 'another one looks for the same beginning of a line')
    else wanted[begin] = line
    if (begin !== undefined && begin !== old) refuse(key, 'it is set by a line of its own; a comment like it stays')
  }
  return `${JSON.stringify(wanted, null, 2)}\n`
}

/** How `line` itself writes what `old` says without its comment mark, blanks counting for nothing. */
const ownBeginning = (old: string, line: string): string | undefined => {
  const name = withoutBlanks(old.replace(/^(#|\/\/|;|--)+/, ''))
  const signs = [...line.trimStart()]
  const end = signs.findIndex((_, at) => withoutBlanks(signs.slice(0, at + 1).join('')) === name)
  return name === '' || end === -1 ? undefined : signs.slice(0, end + 1).join('')
}
const withoutBlanks = (text: string): string => text.replace(/\s/g, '')
