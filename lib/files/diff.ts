import { formatPatch, type StructuredPatchHunk, structuredPatch } from 'diff'

const hidden = '••••••'

/**
 * Stands for a secret in a file that is only to be shown: whatever escapes a format has, none touches it. In the text a line
 * with a secret is thus always another one, and what stood there before is hidden with it.
 */
export const secretToken = 'MANMANxHIDDENxSECRET'

const contextLines = 3
/** A comparison that takes longer is of files that share nothing. */
const limitMs = 1_000
const maxChars = 64 * 1024

/**
 * What changes in a file, as a unified diff; empty when nothing does, null when there is too much to be shown. `after` has
 * `secretToken` for each secret; `secrets` are hidden wherever else they stand.
 */
export const fileDiff = (path: string, before: string | null, after: string, secrets: readonly string[]): string | null => {
  if (before === after) return ''
  const patch = structuredPatch(before === null ? '/dev/null' : path, path, before ?? '', after, undefined, undefined, {
    context: contextLines,
    timeout: limitMs,
  })
  if (!patch) return null
  const known = [secretToken, ...secrets.filter((secret) => secret !== '')]
  const [, ...lines] = formatPatch({
    ...patch,
    hunks: patch.hunks.map((hunk) => ({ ...hunk, lines: hideIn(hunk, known) })),
  }).split('\n')
  const text = lines.join('\n')
  return text.length <= maxChars ? text : null
}

const hideIn = ({ lines }: StructuredPatchHunk, secrets: readonly string[]): string[] => {
  const hides = (line: string): boolean => secrets.some((secret) => line.includes(secret))
  const shown: string[] = []
  let removed: string[] = []
  let added: string[] = []
  const flush = (): void => {
    const unsafe = added.some(hides)
    shown.push(...removed.map((line) => (unsafe || hides(line) ? `-${hidden}` : line)), ...added.map(mask))
    removed = []
    added = []
  }
  const mask = (line: string): string => secrets.reduce((text, secret) => text.replaceAll(secret, hidden), line)
  for (const line of lines) {
    if (line.startsWith('-')) {
      if (added.length > 0) flush()
      removed.push(line)
    } else if (line.startsWith('+')) added.push(line)
    else {
      flush()
      shown.push(mask(line))
    }
  }
  flush()
  return shown
}
