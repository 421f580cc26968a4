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
export const put = (section: Section, [step, ...rest]: readonly string[], leaf: Leaf): boolean => {
  const there = section.get(step!)
  if (there === undefined ? !mayFollow(section, step!) : there instanceof Map === (rest.length === 0)) return false
  const next: Section = there instanceof Map ? there : new Map()
  if (rest.length > 0 && !put(next, rest, leaf)) return false
  section.set(step!, rest.length > 0 ? next : leaf)
  return true
}

/** Entries of a list are named from `[0]` on, and nothing else beside them; `*` goes with everything. */
const mayFollow = (section: Section, step: string): boolean => {
  const steps = [...section.keys()].filter((one) => one !== '*')
  if (step === '*') return true
  return isEntry(step) ? step === `[${steps.length}]` && steps.every(isEntry) : !steps.some(isEntry)
}
const isEntry = (step: string): boolean => /^\[\d+\]$/.test(step)

/** As plain objects; without a prototype, so that every key is only a key. */
export const toObject = (section: Section): Record<string, unknown> => {
  const object: Record<string, unknown> = Object.create(null)
  for (const [key, value] of section) object[key] = value instanceof Map ? toObject(value) : value
  return object
}
