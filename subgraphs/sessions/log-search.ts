import type { Records } from './log-archive.ts'

/**
 * Tells whether a chunk of lines may hold the text, in any case of its letters, without taking it apart: most chunks of a
 * search hold it nowhere. Without a search every chunk may.
 */
export const makeMatcher = ({ search }: { search: string | null }): ((chunk: Records) => boolean) => {
  if (search === null) return () => true
  const needle = search.toLowerCase()
  // Plain letters are one byte each whatever surrounds them, and bytes are read far faster than text.
  const isAscii = /^[\x20-\x7e]+$/.test(search)
  // K and s have forms outside ASCII that fold to them.
  const encoding = isAscii && !/[ks]/.test(needle) ? 'latin1' : 'utf8'
  return ({ records }) => records.toString(encoding).toLowerCase().includes(needle)
}
