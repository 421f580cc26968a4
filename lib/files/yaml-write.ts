import type { Said } from './settings.ts'

// Nothing that any reader of YAML 1.1 or 1.2 takes for something else than a text.
const plain = /^[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*$/
const words = /^(y|yes|n|no|true|false|on|off|null)$/i

/** Whether every reader takes it for a text, without quotes too. */
export const isSurelyText = (text: string): boolean => plain.test(text) && !words.test(text)

/** A text as YAML, in one line. */
export const scalar = (text: string): string => (isSurelyText(text) && text.length < 200 ? text : quote(text))

/** What JSON leaves as it is and YAML doesn't. */
const quote = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A setting in one line. */
export const flow = (setting: Said): string => {
  if (setting.kind === 'bare') return setting.written
  if (setting.kind === 'text') return scalar(setting.text)
  if (setting.kind === 'list') return `[${setting.items.map(flow).join(', ')}]`
  return `{${[...setting.entries].map(([key, child]) => `${scalar(key)}: ${flow(child)}`).join(', ')}}`
}

/** A new entry of a block, over as many lines as it has settings; without the last line break. */
export const blockEntry = (key: string, setting: Said, indent: string, unit: string, end: string): string => {
  const head = `${indent}${scalar(key)}:`
  const inner = indent + unit
  if (setting.kind === 'list' && setting.items.length > 0) {
    return [head, ...setting.items.map((item) => `${inner}- ${flow(item)}`)].join(end)
  }
  const entries = setting.kind === 'map' ? [...setting.entries] : []
  if (entries.length === 0) return `${head} ${flow(setting)}`
  return [head, ...entries.map(([name, child]) => blockEntry(name, child, inner, unit, end))].join(end)
}
