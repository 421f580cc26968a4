import { Conflict, Invalid, NotFound, OutcomeUnknown, PortTaken, Unavailable } from '../../lib/domain/errors.ts'
import type { Unmapped } from '../../lib/eggs/report.ts'
import type { Preset } from '../../lib/presets/shelf.ts'
import { type Builder, forOperators } from '../builder.ts'
import type { ImportedEgg } from './imports.ts'
import type { ConfigsService } from './service.ts'
import type { Refs } from './types.ts'

/** Game configs that come from somewhere else. */
export const addImports = (builder: Builder, refs: Refs, service: ConfigsService): void => {
  addPresets(builder, service)
  const EggPayload = addEggPayload(builder, refs)
  const EggInput = builder.inputType('ImportEggInput', {
    fields: (t) => ({
      source: t.string({ required: true, description: "The egg's own text: JSON of Pterodactyl, JSON or YAML of Pelican." }),
      gameId: t.id({ description: 'Without one the game is named after the egg, made or reused.' }),
    }),
  })
  const PresetInput = builder.inputType('ImportPresetInput', {
    fields: (t) => ({ name: t.string({ required: true, description: 'As `presets` names it: minecraft, cs2 …' }) }),
  })
  const YamlInput = builder.inputType('ImportGameConfigInput', {
    fields: (t) => ({
      source: t.string({ required: true, description: 'YAML as `GameConfig.yaml` writes it.' }),
      gameId: t.id({ description: 'Without one the game is the one it names, made or reused.' }),
    }),
  })
  const types = [Invalid, NotFound, PortTaken, Conflict, Unavailable, OutcomeUnknown]
  builder.mutationFields((t) => ({
    importPreset: t.field({
      ...forOperators,
      type: refs.GameConfig,
      description: 'Makes the game and the config of a preset, or makes them again what the preset says.',
      errors: { types },
      args: { input: t.arg({ type: PresetInput, required: true }) },
      resolve: (_, { input }, { actor }) => service.importPreset(input.name, actor),
    }),
    importGameConfig: t.field({
      ...forOperators,
      type: refs.GameConfig,
      description: 'Makes a config from our YAML; the one of its name in its game is replaced.',
      errors: { types },
      args: { input: t.arg({ type: YamlInput, required: true }) },
      resolve: (_, { input }, { actor }) => service.importGameConfig(input, actor),
    }),
    importEgg: t.field({
      ...forOperators,
      type: EggPayload,
      description: 'Makes a config from an egg. A taken name gets a number: Paper (2).',
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: EggInput, required: true }) },
      resolve: (_, { input }, { actor }) => service.importEgg(input, actor),
    }),
  }))
}

const addEggPayload = (builder: Builder, refs: Refs) => {
  const Field = builder.objectRef<Unmapped>('UnmappedField').implement({
    description: 'Something of an egg that a game config has no place for.',
    fields: (t) => ({ path: t.exposeString('path'), reason: t.exposeString('reason') }),
  })
  return builder.objectRef<ImportedEgg>('ImportEggPayload').implement({
    fields: (t) => ({
      gameConfig: t.field({ type: refs.GameConfig, resolve: ({ gameConfig }) => gameConfig }),
      unmapped: t.field({ type: [Field], resolve: ({ unmapped }) => [...unmapped] }),
    }),
  })
}

const addPresets = (builder: Builder, service: ConfigsService): void => {
  const Shown = builder.objectRef<Preset>('Preset').implement({
    description: 'A known game with a config that runs it.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'For `importPreset`.' }),
      game: t.string({ resolve: ({ game }) => game.name }),
      image: t.string({ resolve: ({ config }) => config.image }),
      verified: t.exposeBoolean('verified', { description: "Run by ManMan's own tests." }),
      sourceUrl: t.string({
        nullable: true,
        description: 'Where it was read how this game is run.',
        resolve: ({ source }) => source?.url ?? null,
      }),
      sourceDate: t.string({ nullable: true, resolve: ({ source }) => source?.date ?? null }),
      yaml: t.exposeString('yaml'),
    }),
  })
  builder.queryField('presets', (t) => t.field({ type: [Shown], resolve: () => [...service.presets()] }))
}
