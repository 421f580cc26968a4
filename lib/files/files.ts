import type { ConfigFile, FileStrategy } from '../domain/game-config.ts'
import { maxLength, tooDeep, Unparseable, UnreadableFile, UnwritableValue } from './errors.ts'
import type { Format } from './format.ts'
import { ini } from './ini.ts'
import { json } from './json.ts'
import { lines } from './lines.ts'
import { properties } from './properties.ts'
import { toml } from './toml.ts'
import { type FileValue, type Fill, fillNothing, fillWith, placeFaults } from './values.ts'
import { xml } from './xml.ts'
import { yaml } from './yaml.ts'

export { UnreadableFile, UnwritableValue } from './errors.ts'
export type { FileValue } from './values.ts'

const replace: Format = {
  places: (content) => [{ where: '', text: content }],
  fresh: (content, fill) => fill(content).text,
  merge: (content, fill) => fill(content).text,
}

const formats: Record<FileStrategy, Format> = {
  REPLACE: replace,
  PROPERTIES: properties,
  INI: ini,
  JSON: json,
  YAML: yaml,
  TOML: toml,
  XML: xml,
  LINES: lines,
}

/** Everything that is wrong with a file's content where only `known` names have values. Empty when it is good. */
export const fileFaults = (file: ConfigFile, known: ReadonlySet<string>): string[] => {
  const { strategy } = file
  const content = withoutMark(file.content)
  if (content.length > maxLength) return ['the content is larger than 8 MiB']
  try {
    const faults = placeFaults(formats[strategy].places(content), known)
    if (faults.length === 0 && strategy !== 'REPLACE') put(formats[strategy], content, fillNothing, '', file.path)
    return faults
  } catch (error) {
    if (error instanceof RangeError) return [tooDeep]
    if (error instanceof Unparseable) return [error.message]
    // The content's own text, as nothing is filled in.
    if (error instanceof UnwritableValue) return [error.what]
    throw error
  }
}

/**
 * The file's text with its settings made in `current`, which is null when there is none. It is the very same text when they
 * are made already. Throws `UnreadableFile` for a `current` that can't be changed in its format, and `UnwritableValue` for a
 * value that the format can't hold. The content is one without `fileFaults`; anything else is a defect.
 */
export const renderFile = (file: ConfigFile, values: ReadonlyMap<string, FileValue>, current: string | null): string => {
  const format = formats[file.strategy]
  const content = withoutMark(file.content)
  const fill = fillWith(values, file.path, file.strategy === 'REPLACE')
  if (file.strategy === 'REPLACE') return fill(file.content).text
  const text = withoutMark(current ?? '')
  const mark = current !== null && current !== text ? byteOrderMark : ''
  try {
    if (text.length > maxLength) throw new Unparseable(null, 'is larger than 8 MiB')
    return mark + put(format, content, fill, text, file.path)
  } catch (error) {
    if (error instanceof RangeError) throw new UnreadableFile(file.path, new Unparseable(null, tooDeep))
    if (error instanceof Unparseable) throw new UnreadableFile(file.path, error)
    throw error
  }
}

const byteOrderMark = '\ufeff'
const withoutMark = (text: string): string => (text.startsWith(byteOrderMark) ? text.slice(1) : text)

/** What was written is read again: whatever a file may hold that an editor here did not think of, it is not made worse. */
const put = (format: Format, content: string, fill: Fill, current: string, path: string): string => {
  const next = current.trim() === '' ? format.fresh(content, fill, path) : format.merge(content, fill, current, path)
  if (next !== current && next.trim() !== '' && !isSettled(format, content, fill, next, path)) {
    throw new Unparseable(null, 'is written in a way in which these settings can’t be made')
  }
  return next
}

const isSettled = (format: Format, content: string, fill: Fill, next: string, path: string): boolean => {
  try {
    return format.merge(content, fill, next, path) === next
  } catch (error) {
    if (error instanceof Unparseable) return false
    throw error
  }
}
