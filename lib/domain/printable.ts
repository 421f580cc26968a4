/** Controls but for the tab, and marks that hide text or turn its direction: what a terminal would obey instead of show. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsafe = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * One line that is safe on a terminal and in a log, whoever wrote it: what would be obeyed stands there as `\u001b`. JSON stays
 * the same JSON, if it is on one line.
 */
export const printable = (text: string): string => text.replace(unsafe, escaped)

/** The same for text of several lines, which stay lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

/** A value as JSON over several lines, safe on a terminal. */
export const printableJson = (value: unknown): string => printableLines(JSON.stringify(value, null, 2))
