import type { ConfigFile } from '../domain/game-config.ts'
import { parsers } from './documents.ts'
import { fill, type Names } from './placeholders.ts'
import type { Report } from './report.ts'
import type { Setting } from './settings.ts'
import { nested } from './source.ts'

/** The files of `config.files` as patches; what can't be one is reported under `config.files`. */
export const readFiles = (given: unknown, variables: Names, report: Report): ConfigFile[] => {
  const files = nested(given)
  if (!files) report('config.files', 'it is not a JSON object of files')
  const read: ConfigFile[] = []
  for (const [name, file] of Object.entries(files ?? {})) {
    const at = `config.files.${name}`
    const path = volumePath(name)
    if (path === undefined) report(at, 'its path leads out of the volume, or is none')
    else if (read.some((other) => other.path === path)) report(at, 'another entry is the same file')
    else read.push(...readFile(path, at, file, variables, report))
  }
  return read
}

/** Relative to the volume, as `config/server.properties`; undefined when it is not in there. */
const volumePath = (name: string): string | undefined => {
  const steps = name
    .replaceAll('\\', '/')
    .replace(/^\/home\/container\//, '')
    .split('/')
    .filter((step) => step !== '' && step !== '.')
  const path = steps.join('/')
  return path.trim() === '' || steps.includes('..') || /\{\{|[\p{Cc}\p{Cs}]/u.test(path) ? undefined : path
}

const readFile = (path: string, at: string, given: unknown, variables: Names, report: Report): ConfigFile[] => {
  const file = nested(given)
  const find = nested(file?.find)
  const named = String(file?.parser).toLowerCase()
  const parser = Object.hasOwn(parsers, named) ? parsers[named] : undefined
  if (!file || !find) report(at, 'it has no settings to be found')
  else if (!parser) report(at, 'there is no such parser')
  if (!find || !parser) return []
  if (named === 'file' && isWhole(find)) return readWhole(path, find[''], `${at}.find.`, variables, report)
  const refuse = (key: string, reason: string): void => report(`${at}.find.${key}`, reason)
  const settings = Object.entries(find).flatMap(([key, value]) => {
    const setting = readSetting(key, value, variables)
    if (typeof setting !== 'string') return [setting]
    refuse(key, setting)
    return []
  })
  const content = parser.write(settings, refuse)
  return /^(\{\})?\s*$/.test(content) ? [] : [{ path, strategy: parser.strategy, content }]
}

/** Nothing to look for: every line is meant, and such files have one. */
const isWhole = (find: Record<string, unknown>): boolean => Object.keys(find).length === 1 && Object.hasOwn(find, '')

const readWhole = (path: string, value: unknown, at: string, variables: Names, report: Report): ConfigFile[] => {
  const setting = readSetting('', value, variables)
  if (typeof setting !== 'string') return [{ path, strategy: 'REPLACE', content: `${setting.value}\n` }]
  report(at, setting)
  return []
}

/** The setting, or why there is none. */
const readSetting = (key: string, value: unknown, variables: Names): Setting | string => {
  if (typeof value === 'object' && value !== null) return 'it replaces only certain values, and here a value is set or left alone'
  if (value == null || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return 'it has no value'
  if (/\0|\p{Cs}/u.test(`${key}${value}`)) return 'it holds a NUL character, or half of one'
  if (key.includes('{{')) return 'its name has braces, and names are not filled in'
  if (typeof value !== 'string') return { key, value: value as number | boolean }
  const { template, unknown } = fill(value, variables)
  if (unknown.length > 0) return reasonFor(unknown[0]!)
  return { key, value: template }
}

const reasonFor = (placeholder: string): string =>
  /^\{\{\s*config\./.test(placeholder)
    ? "it asks for the settings of that panel's agent"
    : 'it asks for something that neither the egg nor the platform knows'
