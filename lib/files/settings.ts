import { Unparseable } from './errors.ts'
import { type Fill, isBoolean, isNumber, type Place } from './values.ts'

/** What a JSON, YAML or TOML content says, in a form that all three share. */
export type Setting =
  /** With `list` the keys are numbers of entries, written `[0]`. */
  | { kind: 'map'; entries: ReadonlyMap<string, Setting>; every: Setting | null; list?: boolean }
  | { kind: 'list'; items: readonly Setting[] }
  | { kind: 'text'; text: string }
  /** A number, a boolean, null, a date: as it is written, and a value that is the same for what means the same. */
  | Bare
  /** A placeholder alone, which is of the type that stands there, if that says any. */
  | { kind: 'free'; inPlaceOf: (there: Setting | null) => Said }

/** A setting as it is written anew: without `*`, `[0]` and all that depends on what stands there. */
export type Said =
  | { kind: 'map'; entries: ReadonlyMap<string, Said>; every: null }
  | { kind: 'list'; items: readonly Said[] }
  | { kind: 'text'; text: string }
  | Bare

interface Bare {
  kind: 'bare'
  written: string
  value: unknown
}
/** A number or boolean as a format reads it; `there` is what stands in its place. */
export type ReadBare = (written: string, there?: unknown) => Bare

export type MapSetting = Extract<Setting, { kind: 'map' }>

export const refuseTwice = (entries: readonly (readonly [string, Setting])[]): void => {
  const keys = new Set<string>()
  for (const [key] of entries) {
    if (keys.has(key)) throw new Unparseable(null, `the key ${key} is there twice`)
    keys.add(key)
  }
}

/**
 * A map as it stands in content, where none is there twice. The key `*` means every entry that is there; `[0]`, `[1]` and so
 * on mean entries of what is to be a list.
 */
export const mapOf = (entries: readonly (readonly [string, Setting])[]): MapSetting => {
  refuseTwice(entries)
  const named = new Map(entries)
  const every = named.get('*') ?? null
  named.delete('*')
  const numbers = [...named.keys()].filter((key) => /^\[(0|[1-9]\d*)\]$/.test(key))
  if (numbers.length === 0) return { kind: 'map', entries: named, every }
  if (numbers.length < named.size) throw new Unparseable(null, 'entries of a list and of an object stand in one object')
  const missing = numbers.findIndex((_, index) => !named.has(`[${index}]`))
  if (missing !== -1) throw new Unparseable(null, `the key [${missing}] is not there, and one behind it is`)
  return { kind: 'map', entries: new Map(numbers.map((key) => [key.slice(1, -1), named.get(key)!])), every, list: true }
}

/** Fills in keys and texts. A filled key `*` is a plain key. */
export const fillSetting = (setting: Setting, fill: Fill, bare: ReadBare): Setting => {
  const inner = (child: Setting): Setting => fillSetting(child, fill, bare)
  if (setting.kind === 'list') return { kind: 'list', items: setting.items.map(inner) }
  if (setting.kind === 'map') {
    const entries = [...setting.entries].map(([key, child]) => [fill(key).text, inner(child)] as const)
    return { ...setting, entries: new Map(entries), every: setting.every && inner(setting.every) }
  }
  if (setting.kind !== 'text') return setting
  const { text, alone, bare: isBare } = fill(setting.text)
  const plain: Said = isBare ? bare(text) : { kind: 'text', text }
  if (!alone) return plain
  const inPlaceOf = (there: Setting | null): Said => {
    if (there?.kind === 'text') return { kind: 'text', text }
    if (there?.kind !== 'bare') return plain
    const fits = typeof there.value === 'boolean' ? isBoolean(text) : saysNumber(there) && isNumber(text)
    return fits ? bare(text, there.value) : plain
  }
  return { kind: 'free', inPlaceOf }
}

const saysNumber = ({ value, written }: Bare): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || isNumber(written)

/** Both, of which `over` wins: maps entry by entry, all else whole. */
const combine = (under: Setting, over: Setting): Setting => {
  if (under.kind !== 'map' || over.kind !== 'map') return over
  const entries = new Map(under.entries)
  for (const [key, child] of over.entries) entries.set(key, entries.has(key) ? combine(entries.get(key)!, child) : child)
  const every = under.every && over.every ? combine(under.every, over.every) : (over.every ?? under.every)
  return { kind: 'map', entries, every, list: Boolean(under.list || over.list) }
}

/** What a map says of `key`, be the entry there or not; undefined when nothing. */
export const settingFor = (map: MapSetting, key: string, there: boolean): Setting | undefined => {
  const named = map.entries.get(key)
  if (named === undefined) return there ? (map.every ?? undefined) : undefined
  return map.every === null ? named : combine(map.every, named)
}

/** Whether it makes anything where nothing is: `{"*": …}` alone doesn't. */
export const makesSomething = (setting: Setting): boolean =>
  setting.kind !== 'map' ||
  (setting.entries.size === 0 ? setting.every === null : [...setting.entries.values()].some(makesSomething))

/** The entries to be where none was, in their order, each as it is written anew. */
export const newEntries = (map: MapSetting): [string, Said][] =>
  [...map.entries.keys()]
    .map((key): [string, Setting] => [key, settingFor(map, key, false)!])
    .filter(([, child]) => makesSomething(child))
    .map(([key, child]) => [key, anew(child)])

/** What is written where `there` stands, or nothing. */
export const anew = (setting: Setting, there: Setting | null = null): Said => {
  if (setting.kind === 'free') return setting.inPlaceOf(there)
  if (setting.kind === 'list') return { kind: 'list', items: setting.items.map((item) => anew(item)) }
  if (setting.kind !== 'map') return setting
  if (setting.list)
    return {
      kind: 'list',
      items: [...setting.entries.keys()].sort(byNumber).map((key) => anew(settingFor(setting, key, false)!)),
    }
  return { kind: 'map', entries: new Map(newEntries(setting)), every: null }
}

const byNumber = (a: string, b: string): number => Number(a) - Number(b)

/** Whether a map sets single entries of a list that is there: its keys are their numbers, or `*`. */
export const setsEntries = (setting: Setting): setting is MapSetting =>
  setting.kind === 'map' &&
  (setting.entries.size > 0 || setting.every !== null) &&
  [...setting.entries.keys()].every((key) => /^(0|[1-9]\d*)$/.test(key))

/** What `map` adds to a list of `length` entries; throws with `line` where it would leave a gap. */
export const entriesBehind = (map: MapSetting, length: number, line: number): Said[] => {
  const behind = newEntries(map).filter(([key]) => Number(key) >= length)
  const gap = behind.findIndex((_, index) => !behind.some(([key]) => Number(key) === length + index))
  if (gap !== -1) throw new Unparseable(line, `the list has ${length} entries, and one behind entry ${length + gap} is to be set`)
  return behind.sort(([a], [b]) => byNumber(a, b)).map(([, child]) => child)
}

/** Everything in which placeholders may stand. */
export const settingPlaces = (setting: Setting, where = ''): Place[] => {
  const at = (step: string): string => (where === '' ? step : `${where}.${step}`)
  if (setting.kind === 'text') return [{ where, text: setting.text }]
  if (setting.kind === 'list') return setting.items.flatMap((item, index) => settingPlaces(item, at(String(index))))
  if (setting.kind !== 'map') return []
  const entries = [...setting.entries].flatMap(([key, child]) => [
    { where: `${where === '' ? '' : `${where}: `}the key ${key}`, text: key },
    ...settingPlaces(child, at(key)),
  ])
  return [...entries, ...(setting.every === null ? [] : settingPlaces(setting.every, at('*')))]
}

/** Whether a `*` or `[0]` stands anywhere: such content can't be a file itself. */
export const isOnlyPatch = (setting: Setting): boolean =>
  setting.kind === 'list'
    ? setting.items.some(isOnlyPatch)
    : setting.kind === 'map' &&
      (setting.every !== null || setting.list === true || [...setting.entries.values()].some(isOnlyPatch))

/** Whether what stands there, read as a setting too, says `wanted`. */
export const saysSame = (there: Setting, wanted: Said): boolean => {
  if (wanted.kind === 'text') return there.kind === 'text' && there.text === wanted.text
  if (wanted.kind === 'bare') return there.kind === 'bare' && Object.is(there.value, wanted.value)
  if (wanted.kind === 'list') {
    return (
      there.kind === 'list' &&
      there.items.length === wanted.items.length &&
      wanted.items.every((item, index) => saysSame(there.items[index]!, item))
    )
  }
  if (there.kind !== 'map') return false
  return (
    there.entries.size === wanted.entries.size &&
    [...wanted.entries].every(([key, child]) => there.entries.has(key) && saysSame(there.entries.get(key)!, child))
  )
}

/** What was read, to be compared: a number that is not exact becomes its digits. */
export const exactly = (value: unknown, written: string): unknown => {
  if (typeof value !== 'number') return value
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? written : value + 0
}
