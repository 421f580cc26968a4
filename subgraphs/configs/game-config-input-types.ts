import type { Builder, SchemaTypes } from '../builder.ts'
import type { SaveHookTypes } from '../save-hooks.ts'
import type { ActionTypes } from './action-types.ts'
import type { Enums } from './game-config-types.ts'

/** How a config comes into being, and how it changes: the same fields, all of them optional the second time. */
export const addGameConfigInputs = (builder: Builder, enums: Enums, parts: PartInputs, actions: ActionTypes) => {
  const shared = (t: InputFields) => ({
    pullPolicy: t.field({ type: enums.PullPolicy, description: 'IF_MISSING unless told.' }),
    entrypoint: t.stringList(),
    command: t.stringList({ description: 'Exact arguments; not together with argsTemplate.' }),
    argsTemplate: t.string({ description: 'Split as a shell splits words, then rendered: a value stays within its word.' }),
    envTemplate: t.field({ type: 'JSON', description: 'An object of templates.' }),
    user: t.string(),
    workingDir: t.string(),
    tty: t.boolean(),
    capabilities: t.stringList(),
    readOnlyRootfs: t.boolean(),
    volumes: t.field({ type: [parts.Volume] }),
    ports: t.field({ type: [parts.Port] }),
    hostNetwork: t.boolean({
      description:
        "For admins: the machine's network instead of one of its own. Every port must be sameInside. False unless told.",
    }),
    parameters: t.field({ type: [parts.Parameter] }),
    files: t.field({ type: [parts.File], description: 'Written into the volume before each start.' }),
    actions: t.field({ type: [actions.Input] }),
    install: t.field({ type: parts.Install, description: 'Done once, before the first start.' }),
    volumePath: t.string({ description: '/data/game unless told.' }),
    stop: t.field({ type: parts.Stop, description: 'SIGTERM with 30 s grace unless told.' }),
    resources: t.field({ type: parts.Resources }),
    readyPattern: t.string({ description: 'RE2 syntax.' }),
    readyTimeoutSeconds: t.int({ description: 'Needs a readyPattern.' }),
    watchdog: t.field({ type: parts.Watchdog }),
    logRetentionDays: t.int(),
    logRetentionMb: t.int({ description: 'For each deployment.' }),
    backup: t.field({ type: parts.Backup }),
  })
  return {
    Create: builder.inputType('CreateGameConfigInput', {
      fields: (t) => ({
        gameId: t.id({ required: true }),
        name: t.string({ required: true }),
        image: t.string({ required: true }),
        ...shared(t),
      }),
    }),
    Update: builder.inputType('UpdateGameConfigInput', {
      description: 'What is left out stays as it is; null takes the default.',
      fields: (t) => ({ name: t.string(), image: t.string(), ...shared(t) }),
    }),
  }
}

type InputFields = PothosSchemaTypes.InputFieldBuilder<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, 'InputObject'>

/** What the inputs of a config are made of. */
export const addPartInputs = (builder: Builder, enums: Enums, { SaveHooksInput }: SaveHookTypes) => {
  const Port = builder.inputType('PortDefinitionInput', {
    fields: (t) => ({
      name: t.string({ required: true, description: 'Templates know the host port as {{port.<name>}}.' }),
      containerPort: t.int({ required: true }),
      protocol: t.field({ type: enums.Protocol, required: true }),
      sameInside: t.boolean({ description: 'The game listens on the host port itself, whatever that becomes.' }),
      follows: t.string({ description: 'Name of a port of which this one is always the next number.' }),
    }),
  })
  const Volume = builder.inputType('VolumeDefinitionInput', {
    fields: (t) => ({
      name: t.string({ required: true }),
      mountPath: t.string({ required: true }),
      readOnly: t.boolean(),
    }),
  })
  const Stop = builder.inputType('StopProcedureInput', {
    fields: (t) => ({
      kind: t.field({ type: enums.StopKind, required: true }),
      value: t.string({ required: true }),
      graceSeconds: t.int({ description: '30 unless told; at most 3600.' }),
    }),
  })
  const Resources = builder.inputType('ResourcesInput', {
    fields: (t) => ({ memoryMb: t.int(), cpus: t.float(), pids: t.int(), diskWarnMb: t.int() }),
  })
  const Watchdog = builder.inputType('WatchdogInput', {
    fields: (t) => ({
      kind: t.field({ type: enums.WatchdogKind, required: true }),
      seconds: t.int({ required: true }),
      port: t.string({ description: 'Name of a declared TCP port, for PORT.' }),
    }),
  })
  const Parameter = builder.inputType('ParameterDefinitionInput', {
    fields: (t) => ({
      name: t.string({ required: true, description: 'Letters, digits and _; templates know it as {{name}}.' }),
      type: t.field({ type: enums.ParameterType, required: true }),
      required: t.boolean(),
      default: t.string({ description: 'Not for SECRET.' }),
      min: t.float({ description: 'Of the number; for STRING and SECRET of the length.' }),
      max: t.float(),
      pattern: t.string({ description: 'RE2 syntax; the whole value must fit. For STRING and SECRET.' }),
      options: t.stringList({ description: 'For ENUM.' }),
      description: t.string(),
      userEditable: t.boolean({ description: 'True unless told.' }),
    }),
  })
  const File = builder.inputType('ConfigFileInput', {
    fields: (t) => ({
      path: t.string({ required: true, description: 'Within the volume: config/server.properties' }),
      strategy: t.field({ type: enums.FileStrategy, required: true }),
      content: t.string({ required: true, description: 'A template, in the format that the strategy names.' }),
    }),
  })
  const Install = builder.inputType('InstallStepInput', {
    fields: (t) => ({
      image: t.string({ required: true }),
      script: t.string({ required: true, description: 'No template: it is run as it is.' }),
      entrypoint: t.stringList({ description: 'Gets the script as its last argument. /bin/sh -ec unless told.' }),
      volumePath: t.string({ description: '/mnt/server unless told.' }),
      user: t.string({ description: "The image's unless told." }),
      capabilities: t.stringList({ description: 'None unless told.' }),
      timeoutSeconds: t.int({ description: '3600 unless told.' }),
    }),
  })
  const Backup = builder.inputType('GameConfigBackupInput', {
    description: 'How the game is made to save, and what of its volumes is no save.',
    fields: (t) => ({
      saveHooks: t.field({ type: SaveHooksInput }),
      include: t.stringList({ description: 'Globs of what is taken, relative to the volumes; everything unless told.' }),
      exclude: t.stringList({ description: 'Globs of what is not taken; stronger than include.' }),
    }),
  })
  return { Port, Volume, Stop, Resources, Watchdog, Parameter, File, Install, Backup }
}

export type PartInputs = ReturnType<typeof addPartInputs>
