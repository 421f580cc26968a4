import type { GameConfigBackup } from '../../lib/domain/backup-policy.ts'
import type { ConfigFile, InstallStep, ParameterDefinition } from '../../lib/domain/game-config.ts'
import type { Builder } from '../builder.ts'
import type { SaveHookTypes } from '../save-hooks.ts'
import type { Enums } from './game-config-types.ts'
import type { GameConfig } from './store.ts'

/** What a config is made of. */
export const addGameConfigParts = (builder: Builder, enums: Enums, { SaveHooks }: SaveHookTypes) => ({
  Backup: builder.objectRef<GameConfigBackup>('GameConfigBackup').implement({
    description: 'How the game is made to save, and what of its volumes is no save. A backup policy may say otherwise.',
    fields: (t) => ({
      saveHooks: t.expose('saveHooks', { type: SaveHooks, nullable: true }),
      include: t.stringList({
        description: 'Globs of what is taken, relative to the volumes; empty is everything.',
        resolve: ({ include }) => [...include],
      }),
      exclude: t.stringList({
        description: 'Globs of what is not taken; stronger than include.',
        resolve: ({ exclude }) => [...exclude],
      }),
    }),
  }),
  Port: builder.objectRef<GameConfig['ports'][number]>('PortDefinition').implement({
    fields: (t) => ({
      name: t.exposeString('name'),
      containerPort: t.exposeInt('containerPort'),
      protocol: t.expose('protocol', { type: enums.Protocol }),
      sameInside: t.exposeBoolean('sameInside', {
        description: 'The game listens on the host port itself, whatever that becomes.',
      }),
      follows: t.string({
        nullable: true,
        description: 'Name of a port of which this one is always the next number.',
        resolve: ({ follows }) => follows ?? null,
      }),
    }),
  }),
  Volume: builder.objectRef<GameConfig['volumes'][number]>('VolumeDefinition').implement({
    fields: (t) => ({
      name: t.exposeString('name'),
      mountPath: t.exposeString('mountPath'),
      readOnly: t.exposeBoolean('readOnly'),
    }),
  }),
  Parameter: builder.objectRef<ParameterDefinition>('ParameterDefinition').implement({
    description: 'Something that operators set; templates know it as {{name}}.',
    fields: (t) => ({
      name: t.exposeString('name'),
      type: t.expose('type', { type: enums.ParameterType }),
      required: t.exposeBoolean('required', { description: 'No session starts without a value.' }),
      default: t.exposeString('default', { nullable: true }),
      min: t.exposeFloat('min', { nullable: true, description: 'Of the number; for STRING and SECRET of the length.' }),
      max: t.exposeFloat('max', { nullable: true }),
      pattern: t.exposeString('pattern', { nullable: true, description: 'RE2 syntax; the whole value fits.' }),
      options: t.field({ type: ['String'], nullable: true, resolve: ({ options }) => options && [...options] }),
      description: t.exposeString('description', { nullable: true }),
      userEditable: t.exposeBoolean('userEditable'),
    }),
  }),
  File: builder.objectRef<ConfigFile>('ConfigFile').implement({
    fields: (t) => ({
      path: t.exposeString('path', { description: 'Within the volume.' }),
      strategy: t.expose('strategy', { type: enums.FileStrategy }),
      content: t.exposeString('content', { description: 'A template.' }),
    }),
  }),
  Install: builder.objectRef<InstallStep>('InstallStep').implement({
    description:
      "A container that runs once before the first start, with the deployment's own volume and the game's environment.",
    fields: (t) => ({
      image: t.exposeString('image'),
      script: t.exposeString('script', { description: 'No template: it is run as it is.' }),
      entrypoint: t.exposeStringList('entrypoint', { description: 'Gets the script as its last argument.' }),
      volumePath: t.exposeString('volumePath'),
      user: t.exposeString('user', { nullable: true }),
      capabilities: t.exposeStringList('capabilities'),
      timeoutSeconds: t.exposeInt('timeoutSeconds'),
    }),
  }),
  Stop: builder.objectRef<GameConfig['stop']>('StopProcedure').implement({
    description: 'How the game is asked to end; after the grace it is killed.',
    fields: (t) => ({
      kind: t.expose('kind', { type: enums.StopKind }),
      value: t.exposeString('value', { description: 'The line, or the signal by name.' }),
      graceSeconds: t.exposeInt('graceSeconds'),
    }),
  }),
  Watchdog: builder.objectRef<NonNullable<GameConfig['watchdog']>>('Watchdog').implement({
    description: 'Ends a game that does nothing. That counts as a crash, and the restart policy decides.',
    fields: (t) => ({
      kind: t.expose('kind', { type: enums.WatchdogKind }),
      seconds: t.exposeInt('seconds'),
      port: t.exposeString('port', { nullable: true }),
    }),
  }),
  Resources: builder.objectRef<GameConfig['resources']>('Resources').implement({
    description: 'Limits; null is none of our own.',
    fields: (t) => ({
      memoryMb: t.exposeInt('memoryMb', { nullable: true }),
      cpus: t.exposeFloat('cpus', { nullable: true }),
      pids: t.exposeInt('pids', { nullable: true }),
      diskWarnMb: t.int({
        nullable: true,
        description: 'No limit, but a warning when the volumes of a deployment are larger.',
        resolve: ({ diskWarnMb }) => diskWarnMb ?? null,
      }),
    }),
  }),
})

export type GameConfigParts = ReturnType<typeof addGameConfigParts>
