import type { InputCheck } from '../../lib/domain/inputs.ts'
import { capabilities } from './linux.ts'

/** What any container has, of a game or of its install step. */

const maxCapabilities = 64

/** The names without their prefix, each once. */
export const checkCapabilities = (check: InputCheck, path: string, given: readonly string[]): string[] => {
  if (given.length > maxCapabilities) {
    check.refuse(path, `must not have more than ${maxCapabilities} entries`)
    return []
  }
  const names = given.map((name) => name.toUpperCase().replace(/^CAP_/, ''))
  for (const [index, name] of names.entries())
    if (!capabilities.has(name)) check.refuse(`${path}.${index}`, 'is not a Linux capability like NET_BIND_SERVICE')
  return [...new Set(names)]
}

export const checkPath = (check: InputCheck, path: string, value: string): boolean => {
  if (check.text(path, value, 1_000) === undefined) return false
  if (!value.startsWith('/')) return check.refuse(path, 'must be an absolute path') !== undefined
  return !value.split('/').includes('..') || check.refuse(path, 'must not contain ..') !== undefined
}

/** A place for a volume: not over the whole container, nor over what the kernel shows there. */
export const checkMount = (check: InputCheck, path: string, value: string): void => {
  if (!checkPath(check, path, value)) return
  const first = value.split('/').find((step) => step !== '' && step !== '.')
  if (first === undefined || ['proc', 'sys', 'dev'].includes(first))
    check.refuse(path, 'must not be /, or in /proc, /sys or /dev')
  if (value.includes(':')) check.refuse(path, 'must not contain a colon')
}

export const checkUser = (check: InputCheck, path: string, user: string): void => {
  if (!userPattern.test(user)) check.refuse(path, 'must be a user or uid, with or without :group, like 1000:1000')
}

const userPattern = /^([a-z_][a-z0-9_-]{0,31}|\d{1,10})(:([a-z_][a-z0-9_-]{0,31}|\d{1,10}))?$/
