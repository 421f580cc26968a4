import { ManManError } from '../domain/errors.ts'

/** A text is not what its format demands; `what` holds nothing of the text itself, which may hold secrets. */
export class Unparseable extends Error {
  readonly line: number | null
  readonly what: string
  constructor(line: number | null, what: string) {
    super(line === null ? what : `line ${line}: ${what}`)
    this.line = line
    this.what = what
  }
}

/** What the game has written can't be changed in its format; names file, line (when one is to blame) and what is wrong. */
export class UnreadableFile extends ManManError {
  readonly path: string
  readonly line: number | null
  readonly what: string
  constructor(path: string, fault: Unparseable) {
    super('CONFLICT', `${path}${fault.line === null ? '' : `, line ${fault.line}`}: ${fault.what}`, { cause: fault })
    this.path = path
    this.line = fault.line
    this.what = fault.what
  }
}

/** A value can't stand where the content puts it, in any way of writing. The message doesn't tell the value. */
export class UnwritableValue extends ManManError {
  readonly what: string
  constructor(where: string, what: string) {
    super('INVALID_INPUT', `${where}: ${what}`)
    this.what = what
  }
}

/** The number of the line that `offset` is in, from 1. */
export const lineAt = (text: string, offset: number): number => {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

/** More than any file of a game has, and little enough for every parser here. */
export const maxDepth = 100
export const tooDeep = `is nested more than ${maxDepth} levels deep`

/** In characters of UTF-16; a file of as many bytes never has more. */
export const maxLength = 8 * 1024 * 1024
