import type { LogLine } from '../../lib/messages/log-records.ts'

/** Shorter ones would be found in words that mean something else. */
const minSecretBytes = 4
const star = 0x2a

/**
 * Puts a star for every byte of a secret. A line keeps its length: by it a resume counts how much of Docker's log it was.
 * Null when there is nothing to look for.
 */
export const makeMask = (secrets: readonly string[]): ((line: LogLine) => LogLine) | null => {
  // The longest first: one may be part of another.
  const needles = secrets
    .map((secret) => Buffer.from(secret))
    .filter(({ length }) => length >= minSecretBytes)
    .sort((a, b) => b.length - a.length)
  if (needles.length === 0) return null
  return (line) => {
    let bytes = line.bytes
    for (const needle of needles) {
      for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + needle.length)) {
        // What was read may be part of a buffer that others read too.
        if (bytes === line.bytes) bytes = Buffer.from(bytes)
        bytes.fill(star, at, at + needle.length)
      }
    }
    return bytes === line.bytes ? line : { ...line, bytes }
  }
}
