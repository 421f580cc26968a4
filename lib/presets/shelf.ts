import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Invalid, NotFound } from '../domain/errors.ts'
import type { GameConfigDraft } from '../domain/game-config.ts'
import { readGameConfigYaml } from './format.ts'

/** A known game with a config that runs it. */
export interface Preset {
  name: string
  game: { name: string; steamAppId: number | null }
  /** ManMan's own tests have run it. */
  verified: boolean
  /** Where image, ports and variables were read, and on which day; null only if verified. */
  source: { url: string; date: string } | null
  config: GameConfigDraft
  /** The file itself, with its comments. */
  yaml: string
}

export interface Shelf {
  /** All of them, by name. Throws an error that names the file if one can't be read. */
  list(): readonly Preset[]
  /** Throws `NotFound`. */
  get(name: string): Preset
}

const extension = '.yaml'

/** The presets in a directory, `<name>.yaml` each, this release's own if left out; read when first asked for. */
export const makeShelf = (directory = shippedAbove(import.meta.dirname)): Shelf => {
  let presets: readonly Preset[] | undefined
  const list = (): readonly Preset[] => {
    presets ??= readdirSync(directory)
      .filter((file) => file.endsWith(extension))
      .map((file) => file.slice(0, -extension.length))
      .sort()
      .map((name) => readPreset(directory, name))
    return presets
  }
  return {
    list,
    get: (name) => {
      const preset = list().find((one) => one.name === name)
      if (!preset) throw new NotFound('preset', name)
      return preset
    },
  }
}

/** They stand beside the sources, and beside `dist/` where they are built; `lib/presets` has no schema.json. */
const shippedAbove = (folder: string): string => {
  if (existsSync(join(folder, 'presets', 'schema.json'))) return join(folder, 'presets')
  if (dirname(folder) === folder) throw new Error('this installation has no presets/ directory')
  return shippedAbove(dirname(folder))
}

const readPreset = (directory: string, name: string): Preset => {
  const path = join(directory, name + extension)
  try {
    const yaml = readFileSync(path, 'utf8')
    const { name: given, game, verified, source, config } = readGameConfigYaml(yaml)
    if (given !== name) throw Invalid.at('name', 'must be the name of the file')
    if (verified == null) throw Invalid.at('verified', 'is required')
    if (!verified && !source) throw Invalid.at('source', 'is required of what is not verified')
    return {
      name,
      game: { name: game.name, steamAppId: game.steamAppId ?? null },
      verified,
      source: source ?? null,
      config,
      yaml,
    }
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}
