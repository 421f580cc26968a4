import { Unparseable } from './errors.ts'
import type { Fill, Place } from './values.ts'

/** What a JSON, YAML or TOML content says, in a form that all three share. */
export type Setting =
  | { kind: 'map'; entries: ReadonlyMap<string, Setting>; every: Setting | null }
  | { kind: 'list'; items: readonly Setting[] }
  | { kind: 'text'; text: string }
  /** A number, a boolean, null, a date: as it is written, and a value that is the same for what means the same. */
  | { kind: 'bare'; written: string; value: unknown }

export type MapSetting = Extract<Setting, { kind: 'map' }>

/** A map as it stands in content, where the key `*` means every entry that is there, and none is there twice. */
export const mapOf = (entries: readonly (readonly [string, Setting])[]): MapSetting => {
  const named = new Map(entries)
  if (named.size < entries.length) {
    const [twice] = entries.find(([key], index) => entries.findIndex(([other]) => other === key) < index)!
    throw new Unparseable(null, `the key ${twice} is there twice`)
  }
  const every = named.get('*') ?? null
  named.delete('*')
  return { kind: 'map', entries: named, every }
}

/** Fills in keys and texts; `bare` reads a number or boolean as its format does. A filled key `*` is a plain key. */
export const fillSetting = (setting: Setting, fill: Fill, bare: (written: string) => unknown): Setting => {
  const inner = (child: Setting): Setting => fillSetting(child, fill, bare)
  if (setting.kind === 'list') return { kind: 'list', items: setting.items.map(inner) }
  if (setting.kind === 'map') {
    const entries = [...setting.entries].map(([key, child]) => [fill(key).text, inner(child)] as const)
    return { kind: 'map', entries: new Map(entries), every: setting.every && inner(setting.every) }
  }
  if (setting.kind === 'bare') return setting
  const filled = fill(setting.text)
  return filled.bare ? { kind: 'bare', written: filled.text, value: bare(filled.text) } : { kind: 'text', text: filled.text }
}

/** Both, of which `over` wins: maps entry by entry, all else whole. */
const combine = (under: Setting, over: Setting): Setting => {
  if (under.kind !== 'map' || over.kind !== 'map') return over
  const entries = new Map(under.entries)
  for (const [key, child] of over.entries) entries.set(key, entries.has(key) ? combine(entries.get(key)!, child) : child)
  const every = under.every && over.every ? combine(under.every, over.every) : (over.every ?? under.every)
  return { kind: 'map', entries, every }
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

/** As it is written where nothing was: the entries to be, in their order. */
export const newEntries = (map: MapSetting): [string, Setting][] =>
  [...map.entries.keys()]
    .map((key): [string, Setting] => [key, settingFor(map, key, false)!])
    .filter(([, child]) => makesSomething(child))

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

/** Whether a `*` stands anywhere: such content can't be a file itself. */
export const hasEvery = (setting: Setting): boolean =>
  setting.kind === 'list'
    ? setting.items.some(hasEvery)
    : setting.kind === 'map' && (setting.every !== null || [...setting.entries.values()].some(hasEvery))

/** Whether what stands there, read as a setting too, says what `wanted` says once it is written anew. */
export const saysSame = (there: Setting, wanted: Setting): boolean => {
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
  // What was read from a file has its `*` as every other key.
  const entries = newEntries(wanted)
  return (
    there.entries.size === entries.length &&
    entries.every(([key, child]) => there.entries.has(key) && saysSame(there.entries.get(key)!, child))
  )
}

/** What was read, to be compared: a number that is not exact becomes its digits. */
export const exactly = (value: unknown, written: string): unknown => {
  if (typeof value !== 'number') return value
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? written : value + 0
}
