import { fileStrategies, parameterTypes } from '../../lib/domain/game-config.ts'
import { protocols } from '../../lib/domain/ports.ts'
import { restartModes } from '../../lib/domain/restart-policy.ts'
import { writeGameConfigYaml } from '../../lib/presets/format.ts'
import type { Builder } from '../builder.ts'
import type { ActionTypes } from './action-types.ts'
import type { GameConfigParts } from './game-config-part-types.ts'
import { toDraft } from './store.ts'
import { type Loaders, must, type Refs } from './types.ts'

/** Enums that objects and inputs share. */
export const addEnums = (builder: Builder) => ({
  Protocol: builder.enumType('Protocol', { values: protocols }),
  PullPolicy: builder.enumType('PullPolicy', { values: ['IF_MISSING', 'ALWAYS'] as const }),
  WatchdogKind: builder.enumType('WatchdogKind', {
    description: 'NO_OUTPUT: no line for so long. PORT: the named TCP port has refused connections for so long.',
    values: ['NO_OUTPUT', 'PORT'] as const,
  }),
  RestartMode: builder.enumType('RestartMode', {
    description: 'ON_FAILURE: after a crash, so many times within the window. ALWAYS: whenever it ends unasked.',
    values: restartModes,
  }),
  ParameterType: builder.enumType('ParameterType', {
    description:
      'A SECRET is write-only: kept encrypted, opened by the host alone, hidden in logs and wherever it would be shown.',
    values: parameterTypes,
  }),
  FileStrategy: builder.enumType('FileStrategy', {
    description:
      'REPLACE writes the whole file. PROPERTIES, INI, JSON, YAML, TOML and XML make the given settings in what the game has ' +
      'written, LINES replaces lines by their beginning; what is not named stays.',
    values: fileStrategies,
  }),
  StopKind: builder.enumType('StopKind', {
    description: 'STDIN writes a line to the console of the game, SIGNAL sends a signal.',
    values: ['STDIN', 'SIGNAL'] as const,
  }),
})

export type Enums = ReturnType<typeof addEnums>

export const addGameConfig = (refs: Refs, loaders: Loaders, enums: Enums, parts: GameConfigParts, { Action }: ActionTypes) => {
  return refs.GameConfig.implement({
    description: 'How to run a game: image, command, environment, ports, volumes, limits, stop procedure.',
    fields: (t) => ({
      id: t.exposeID('id'),
      game: t.field({ type: refs.Game, resolve: ({ gameId }, _, context) => must(loaders.game(context, gameId)) }),
      name: t.exposeString('name'),
      image: t.exposeString('image'),
      pullPolicy: t.expose('pullPolicy', { type: enums.PullPolicy }),
      entrypoint: t.exposeStringList('entrypoint', { nullable: true, description: "Null keeps the image's." }),
      command: t.exposeStringList('command', {
        nullable: true,
        description: 'Exact arguments. Null keeps the command of the image.',
      }),
      argsTemplate: t.exposeString('argsTemplate', {
        nullable: true,
        description: 'Split as a shell splits words, then rendered: a value stays within its word.',
      }),
      envTemplate: t.expose('envTemplate', { type: 'JSON', description: 'Templates by variable name.' }),
      user: t.exposeString('user', { nullable: true }),
      workingDir: t.exposeString('workingDir', { nullable: true }),
      tty: t.exposeBoolean('tty'),
      capabilities: t.exposeStringList('capabilities', { description: 'Linux capabilities added back; all others are dropped.' }),
      readOnlyRootfs: t.exposeBoolean('readOnlyRootfs'),
      volumes: t.expose('volumes', { type: [parts.Volume] }),
      ports: t.expose('ports', { type: [parts.Port] }),
      hostNetwork: t.exposeBoolean('hostNetwork', {
        description:
          "The game has the machine's network instead of one of its own, and its ports are all `sameInside`. It gives up what a " +
          'network of its own keeps apart: the game can listen on any port and address of the machine, reaches what listens on its ' +
          'loopback, and no address that a port is bound to is enforced. No links lead from it or to it.',
      }),
      parameters: t.expose('parameters', { type: [parts.Parameter] }),
      files: t.expose('files', { type: [parts.File], description: 'Written into the volume before each start.' }),
      actions: t.expose('actions', { type: [Action], description: 'Its own; those of its game count too.' }),
      install: t.expose('install', { type: parts.Install, nullable: true }),
      volumePath: t.exposeString('volumePath', { description: "Where the deployment's own volume is mounted." }),
      stop: t.expose('stop', { type: parts.Stop }),
      resources: t.expose('resources', { type: parts.Resources }),
      readyPattern: t.exposeString('readyPattern', {
        nullable: true,
        description: 'A line of its output that fits (RE2 syntax) says that players can join.',
      }),
      readyTimeoutSeconds: t.exposeInt('readyTimeoutSeconds', {
        nullable: true,
        description: 'Without that line in time the session counts as crashed.',
      }),
      watchdog: t.expose('watchdog', { type: parts.Watchdog, nullable: true }),
      logRetentionDays: t.exposeInt('logRetentionDays', {
        nullable: true,
        description: 'Archived log lines are kept so long. Null: as long as the installation says, 30 days unless told.',
      }),
      logRetentionMb: t.exposeInt('logRetentionMb', {
        nullable: true,
        description: "Of each deployment's archived logs, compressed, so much is kept; the oldest lines go first. Null: all.",
      }),
      backup: t.expose('backup', { type: parts.Backup }),
      yaml: t.string({
        description: 'As our YAML, for `importGameConfig`: here, or in another installation.',
        resolve: async (config, _, context) => {
          const { name, steamAppId } = await must(loaders.game(context, config.gameId))
          return writeGameConfigYaml({ version: 1, game: { name, steamAppId }, config: toDraft(config) })
        },
      }),
      deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true }),
    }),
  })
}
