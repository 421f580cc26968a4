/** Settings by their path, as nested sections of a document; a leaf is what a file says there. */
export type Leaf = string | number | boolean
/** One entry of an egg's `find`: where, and what shall stand there. */
export interface Setting {
  key: string
  value: Leaf
}

/** The text of a patch; `refuse` is called for each setting that has no place in such a file, or another one. */
export type WriteDocument = (settings: readonly Setting[], refuse: (key: string, reason: string) => void) => string

export type Section = Map<string, Section | Leaf>

/** Puts a leaf at its path; false when something else stands in its way. */
export const put = (root: Section, path: readonly string[], leaf: Leaf): boolean => {
  let section = root
  for (const step of path.slice(0, -1)) {
    const next = section.get(step) ?? new Map()
    if (!(next instanceof Map)) return false
    section.set(step, next)
    section = next
  }
  const last = path.at(-1)!
  if (section.get(last) instanceof Map) return false
  section.set(last, leaf)
  return true
}

/** As plain objects; without a prototype, so that every key is only a key. */
export const toObject = (section: Section): Record<string, unknown> => {
  const object: Record<string, unknown> = Object.create(null)
  for (const [key, value] of section) object[key] = value instanceof Map ? toObject(value) : value
  return object
}
