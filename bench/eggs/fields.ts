import { rulesOf } from '../../lib/eggs/rules.ts'
import { imagesOf, nested, parseEgg, startupsOf } from '../../lib/eggs/source.ts'

export const fieldKinds = ['variable', 'rule', 'file', 'find', 'image', 'startup', 'done', 'stop', 'script'] as const
export type FieldKind = (typeof fieldKinds)[number]

/** One thing an egg says about how a game is run, by its path. */
export interface Field {
  kind: FieldKind
  path: string
}

/** What counts as a field of an egg: each variable and rule, file and line to find, and the single ones that are there. */
export const fieldsOf = (source: string): Field[] => {
  const egg = parseEgg(source)
  const fields: Field[] = []
  const add = (kind: FieldKind, path: string): void => {
    fields.push({ kind, path })
  }
  for (const [index, variable] of (egg.variables ?? []).entries()) {
    add('variable', `variables.${index}`)
    for (const rule of rulesOf(variable.rules, `variables.${index}`)) add('rule', rule.path)
  }
  for (const [name, file] of Object.entries(nested(egg.config?.files) ?? {})) {
    add('file', `config.files.${name}`)
    for (const key of Object.keys(nested(nested(file)?.find) ?? {})) add('find', `config.files.${name}.find.${key}`)
  }
  for (const { path } of imagesOf(egg).slice(0, 1)) add('image', path)
  for (const { path } of startupsOf(egg).slice(0, 1)) add('startup', path)
  if (nested(egg.config?.startup)?.done) add('done', 'config.startup.done')
  if (egg.config?.stop) add('stop', 'config.stop')
  if (egg.scripts?.installation?.script) add('script', 'scripts.installation')
  return fields
}

/** The fields that a report of `path` is about: what it names, all beneath that, or else the nearest above. */
export const fieldsAt = (fields: readonly Field[], path: string): Field[] => {
  const found = fields.filter((field) => field.path === path || field.path.startsWith(`${path}.`))
  if (found.length > 0) return found
  const above = fields.filter((field) => path.startsWith(`${field.path}.`))
  return above.sort((a, b) => b.path.length - a.path.length).slice(0, 1)
}
