/** Puts `text` in the place of what stands from `from` up to `to`. */
export interface Edit {
  from: number
  to: number
  text: string
}

/** Makes edits that don't overlap; of those at one place the first comes first. All else stays as it is. */
export const applyEdits = (source: string, edits: readonly Edit[]): string => {
  const parts: string[] = []
  let at = 0
  for (const edit of [...edits].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (edit.from < at) throw new Error('edits overlap')
    parts.push(source.slice(at, edit.from), edit.text)
    at = edit.to
  }
  parts.push(source.slice(at))
  return parts.join('')
}

/** How the text ends its lines. */
export const lineEnd = (text: string): string => {
  const at = text.indexOf('\n')
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n'
}

/** Where the line begins that `offset` is in. */
export const lineStart = (text: string, offset: number): number => (offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1)

/** Where the line ends that `offset` is in, before its line break. */
export const lineStop = (text: string, offset: number): number => {
  const at = text.indexOf('\n', offset)
  if (at === -1) return text.length
  return at > offset && text[at - 1] === '\r' ? at - 1 : at
}

/** The blanks the line begins with. */
export const indentAt = (text: string, offset: number): string => {
  const from = lineStart(text, offset)
  let to = from
  while (text[to] === ' ' || text[to] === '\t') to++
  return text.slice(from, to)
}

/** Whether nothing but blanks stands before `offset` in its line. */
export const beginsLine = (text: string, offset: number): boolean =>
  lineStart(text, offset) + indentAt(text, offset).length === offset

export interface Line {
  from: number
  /** Before the line break. */
  to: number
  /** After it. */
  next: number
  text: string
}

/** The lines of a text, which end at CR, LF or both. A line break at the end begins no further line. */
export const linesOf = (text: string): Line[] => {
  const lines: Line[] = []
  const breaks = /\r\n|\r|\n/g
  for (let from = 0; from < text.length; ) {
    const match = breaks.exec(text)
    const to = match?.index ?? text.length
    const next = match === null ? text.length : breaks.lastIndex
    lines.push({ from, to, next, text: text.slice(from, to) })
    from = next
  }
  return lines
}

/** An edit that puts whole lines at `at`, the begin of a line or the end of the text; an end without a line break stays so. */
export const insertLines = (source: string, at: number, lines: readonly string[]): Edit => {
  const end = lineEnd(source)
  const open = at > 0 && !/[\r\n]/.test(source[at - 1]!)
  const text = lines.join(end)
  return { from: at, to: at, text: open ? end + text : text + end }
}
