import type { Protocol } from './ports.ts'

/**
 * How a game is run, as people write it: by the API, in our YAML, in a preset, or as an egg is read. What may be left out has
 * a default. Nothing here is checked yet.
 */
export interface GameConfigDraft {
  name: string
  image: string
  pullPolicy?: Maybe<'IF_MISSING' | 'ALWAYS'>
  /** Replaces the image's. */
  entrypoint?: Maybe<readonly string[]>
  /** Exact arguments; not together with `argsTemplate`. */
  command?: Maybe<readonly string[]>
  /** Split as a shell splits words, then rendered: a value stays within its word. */
  argsTemplate?: Maybe<string>
  /** Templates by variable name; numbers and booleans become text. */
  envTemplate?: unknown
  files?: Maybe<readonly ConfigFile[]>
  parameters?: Maybe<readonly ParameterDraft[]>
  user?: Maybe<string>
  workingDir?: Maybe<string>
  tty?: Maybe<boolean>
  capabilities?: Maybe<readonly string[]>
  readOnlyRootfs?: Maybe<boolean>
  volumes?: Maybe<readonly { name: string; mountPath: string; readOnly?: Maybe<boolean> }[]>
  ports?: Maybe<readonly PortDraft[]>
  /** The machine's network instead of one of its own; every port is then `sameInside`. */
  hostNetwork?: Maybe<boolean>
  /** Where the deployment's own volume is mounted. */
  volumePath?: Maybe<string>
  stop?: Maybe<{ kind: 'STDIN' | 'SIGNAL'; value: string; graceSeconds?: Maybe<number> }>
  resources?: Maybe<{ memoryMb?: Maybe<number>; cpus?: Maybe<number>; pids?: Maybe<number>; diskWarnMb?: Maybe<number> }>
  readyPattern?: Maybe<string>
  readyTimeoutSeconds?: Maybe<number>
  watchdog?: Maybe<{ kind: 'NO_OUTPUT' | 'PORT'; seconds: number; port?: Maybe<string> }>
  install?: Maybe<InstallDraft>
  actions?: Maybe<readonly ActionDraft[]>
  logRetentionDays?: Maybe<number>
  logRetentionMb?: Maybe<number>
  backup?: Maybe<GameConfigBackupDraft>
}

/** How its game is made to save, and what of its volumes is no save. */
export interface GameConfigBackupDraft {
  saveHooks?: Maybe<SaveHooksDraft>
  include?: Maybe<readonly string[]>
  exclude?: Maybe<readonly string[]>
}

export interface SaveHooksDraft {
  before?: Maybe<readonly string[]>
  waitFor?: Maybe<string>
  timeoutSeconds?: Maybe<number>
  after?: Maybe<readonly string[]>
}

type Maybe<T> = T | null | undefined

export interface PortDraft {
  name: string
  containerPort: number
  protocol: Protocol
  /** The game listens on the very number that players use. */
  sameInside?: Maybe<boolean>
  /** Name of a port of which this one is always the next number, as games expect that take a second port unasked. */
  follows?: Maybe<string>
}

export const fileStrategies = ['REPLACE', 'PROPERTIES', 'INI', 'JSON', 'YAML', 'TOML', 'XML', 'LINES'] as const
export type FileStrategy = (typeof fileStrategies)[number]

/** A file of the deployment's own volume, written before each start. */
export interface ConfigFile {
  /** Relative to the volume, with forward slashes: `config/server.properties`. */
  path: string
  strategy: FileStrategy
  /** REPLACE: the whole file. Otherwise the settings to be made in what the game has written. A template. */
  content: string
}

export const parameterTypes = ['STRING', 'INT', 'FLOAT', 'BOOL', 'ENUM', 'SECRET'] as const
export type ParameterType = (typeof parameterTypes)[number]

/** Something that operators set; templates know it as `{{name}}`. */
export interface ParameterDefinition {
  name: string
  type: ParameterType
  /** A session can't start without a value. */
  required: boolean
  /** As text, whatever the type; never for SECRET. */
  default: string | null
  /** Of the number; for STRING and SECRET of the length in characters. */
  min: number | null
  max: number | null
  /** RE2 syntax; the whole value must fit. For STRING and SECRET. */
  pattern: string | null
  /** For ENUM. */
  options: readonly string[] | null
  description: string | null
  /** Whether who may only control a deployment may set it. */
  userEditable: boolean
}

export type ParameterDraft = Pick<ParameterDefinition, 'name' | 'type'> & {
  [Key in keyof Omit<ParameterDefinition, 'name' | 'type'>]?: Maybe<ParameterDefinition[Key]>
}

/** A container that runs once before the first start, with the deployment's volume and the game's environment. */
export interface InstallDraft {
  image: string
  /** Given to `entrypoint` as it is: no template, as shells have braces of their own. */
  script: string
  /** Gets the script as its last argument. `["/bin/sh", "-ec"]` unless told. */
  entrypoint?: Maybe<readonly string[]>
  /** Where the deployment's own volume is mounted: `/mnt/server` unless told. */
  volumePath?: Maybe<string>
  /** The user it runs as; the image's unless told. */
  user?: Maybe<string>
  capabilities?: Maybe<readonly string[]>
  /** 3600 unless told. */
  timeoutSeconds?: Maybe<number>
}

export const actionInputTypes = ['STRING', 'INT', 'FLOAT', 'BOOL', 'ENUM'] as const
export type ActionInputType = (typeof actionInputTypes)[number]

export interface InstallStep {
  image: string
  script: string
  entrypoint: string[]
  volumePath: string
  user: string | null
  capabilities: string[]
  timeoutSeconds: number
}

/** A console command with blanks to fill in. */
export interface ActionDraft {
  /** Unique where it stands: letters, digits, - and _. */
  name: string
  /** For people. */
  label: string
  /** One line for the console; `{{input}}` stands for what was filled in, parameters and built-ins are known too. */
  template: string
  inputs?: Maybe<readonly ActionInputDraft[]>
  /** Asked before it is done. */
  confirm?: Maybe<string>
}

export interface ActionInputDraft {
  name: string
  type: ActionInputType
  label?: Maybe<string>
  required?: Maybe<boolean>
  default?: Maybe<string>
  /** Of the number; for STRING of the length in characters. */
  min?: Maybe<number>
  max?: Maybe<number>
  /** For ENUM. */
  options?: Maybe<readonly string[]>
  /** RE2 syntax; the whole value must fit. */
  pattern?: Maybe<string>
}
