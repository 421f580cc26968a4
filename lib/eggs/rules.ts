import type { EggVariable } from './source.ts'

/** One rule of a variable, as Laravel names it, with what stands behind its colon. */
export interface Rule {
  name: string
  args: string
  /** In the egg: `variables.2.rules.0`. */
  path: string
}

/** The rules of a variable in their order; both `a|b:1` and lists of such are read. */
export const rulesOf = (given: EggVariable['rules'], path: string): Rule[] =>
  (Array.isArray(given) ? given : [given])
    .flatMap((one) => (one == null ? [] : splitRules(one)))
    .map((rule, index) => {
      const colon = rule.indexOf(':')
      const name = colon === -1 ? rule : rule.slice(0, colon)
      return {
        name: name.trim().toLowerCase(),
        args: colon === -1 ? '' : rule.slice(colon + 1),
        path: `${path}.rules.${index}`,
      }
    })

/** At each bar, but for those within a regex, which ends with its delimiter. */
const splitRules = (text: string): string[] => {
  const rules: string[] = []
  for (let rest = text; rest !== ''; ) {
    const length = /^\s*(not_)?regex:/i.test(rest) ? regexLength(rest) : rest.indexOf('|')
    rules.push(length === -1 ? rest : rest.slice(0, length))
    rest = length === -1 ? '' : rest.slice(length + 1)
  }
  return rules.map((rule) => rule.trim()).filter((rule) => rule !== '')
}

const regexLength = (text: string): number => {
  const [start = '', , delimiter = ''] = /^\s*(not_)?regex:(.?)/i.exec(text) ?? []
  const close = closing(delimiter)
  for (let at = start.length; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === close && /^[a-zA-Z]*\s*(\||$)/.test(text.slice(at + 1))) return text.indexOf('|', at)
  }
  return text.indexOf('|')
}

/** PHP takes any sign around a pattern; brackets come in pairs. */
export const closing = (delimiter: string): string => ({ '(': ')', '[': ']', '{': '}', '<': '>' })[delimiter] ?? delimiter

/** The arguments of `in:a,"b,c"`: parted by commas, as CSV. */
export const listOf = (args: string): string[] =>
  [...`,${args}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  )
