import { parse } from 'yaml'
import { z } from 'zod'
import { Invalid } from '../domain/errors.ts'

/** Eggs are written by PHP and by hand: numbers stand where text is meant, and `[]` where an object is. */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String).nullish()
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const object = z.custom<Record<string, unknown>>(isObject, 'must be an object')
/** PHP exports an object without entries as an empty list. */
const noEntries = (given: unknown): unknown => (Array.isArray(given) && given.length === 0 ? undefined : given)
const textList = z.union([z.array(text), object.transform((given) => Object.values(given).map((one) => String(one)))])
/** One or more of a kind, with names or without. */
const choices = z.union([text, z.array(text), object])
const flag = z.union([
  z.boolean(),
  z.number().transform(Boolean),
  z.string().transform((given) => given === 'true' || given === '1'),
])

const variable = z.looseObject({
  name: text,
  description: text,
  env_variable: z.union([z.string(), z.number()]).transform(String),
  // PHP writes true as 1 and false as nothing; games are told 1 and 0.
  default_value: z.preprocess((given) => (typeof given === 'boolean' ? Number(given) : given), text),
  user_viewable: flag.nullish(),
  user_editable: flag.nullish(),
  rules: z.union([text, textList]),
})

const installation = z.looseObject({ script: text, container: text, entrypoint: text })

const egg = z.looseObject({
  meta: z.looseObject({
    version: z.string().regex(/^(PTDL_v[12]|PLCN_v[123])$/, 'must be PTDL_v1, PTDL_v2, PLCN_v1, PLCN_v2 or PLCN_v3'),
  }),
  name: z.string().refine((given) => given.trim() !== '', 'must not be empty'),
  /** PTDL_v1 has one image, its late exports a list; all others name them. */
  image: text,
  images: choices,
  docker_images: choices,
  startup: text,
  /** PLCN_v3 has several, by name. */
  startup_commands: choices,
  features: textList.nullish(),
  file_denylist: z.union([textList, text]),
  config: z.preprocess(
    noEntries,
    z
      .looseObject({ files: z.unknown().optional(), startup: z.unknown().optional(), logs: z.unknown().optional(), stop: text })
      .nullish(),
  ),
  scripts: z.preprocess(noEntries, z.looseObject({ installation: z.preprocess(noEntries, installation.nullish()) }).nullish()),
  variables: z.array(variable).nullish(),
})

/** An egg of any format, as far as it is read. */
export type Egg = z.output<typeof egg>
export type EggVariable = z.output<typeof variable>

/** Reads an egg's text; throws `Invalid` with every fault when it is no egg of a format that is known. */
export const parseEgg = (source: string): Egg => {
  const { data, error } = egg.safeParse(parseText(source))
  if (error) throw new Invalid(error.issues.map(({ path, message }) => ({ path: path.join('.') || 'egg', message })))
  return data
}

const parseText = (source: string): unknown => {
  const bare = source.replace(/^\uFEFF/, '')
  try {
    return bare.trimStart().startsWith('{') ? JSON.parse(bare) : parse(bare, { logLevel: 'silent' })
  } catch (error) {
    // Whatever a parser makes of it (a stack that overflows, an alias that never ends): it can't be read.
    throw Invalid.at('egg', `is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`)
  }
}

/** One of the images or command lines that an egg offers, and where it stands. */
export interface Choice {
  path: string
  value: string
}

/** The images an egg offers, the one to be used first. A leading ~ told Wings not to pull what is there already, as here. */
export const imagesOf = (egg: Egg): Choice[] =>
  firstOf(choicesOf('docker_images', egg.docker_images), choicesOf('images', egg.images), choicesOf('image', egg.image)).map(
    ({ path, value }) => ({ path, value: value.replace(/^~/, '') }),
  )

/** The command lines an egg offers, the one to be used first. */
export const startupsOf = (egg: Egg): Choice[] =>
  firstOf(choicesOf('startup_commands', egg.startup_commands), choicesOf('startup', egg.startup))

const firstOf = (...lists: Choice[][]): Choice[] => lists.find((list) => list.length > 0) ?? []

const choicesOf = (path: string, given: unknown): Choice[] =>
  typeof given === 'string'
    ? wordsOf(given).map((value) => ({ path, value }))
    : Object.entries(given ?? {}).flatMap(([key, one]) => wordsOf(one).map((value) => ({ path: `${path}.${key}`, value })))

/** Text that is there, of one or of a list. */
export const wordsOf = (given: unknown): string[] =>
  (Array.isArray(given) ? given : [given]).flatMap((one) => (typeof one === 'string' && one.trim() !== '' ? [one.trim()] : []))

/** A part of an egg that is an object, or the JSON text of one as Pterodactyl exports it; undefined for anything else. */
export const nested = (given: unknown): Record<string, unknown> | undefined => {
  if (given == null || given === '' || (Array.isArray(given) && given.length === 0)) return {}
  if (typeof given !== 'string') return isObject(given) ? given : undefined
  try {
    return nested(JSON.parse(given) ?? {})
  } catch {
    return undefined // said by whoever asks, with the path
  }
}
