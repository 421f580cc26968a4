import { z } from 'zod'
import { actionInputTypes, fileStrategies, type GameConfigDraft, parameterTypes } from '../domain/game-config.ts'
import { protocols } from '../domain/ports.ts'

/** What may be left out may also be null, as in the graph. */
const maybe = <Inner extends z.ZodType>(inner: Inner) => inner.nullish()
const text = z.string()
const whole = z.int()
const texts = z.array(text)

const port = z.strictObject({
  name: text.describe('Templates know the host port as {{port.<name>}}; players are told the one named game.'),
  containerPort: whole.min(1).max(65_535),
  protocol: z.enum(protocols),
  sameInside: maybe(z.boolean()).describe('The game listens on the very number that players use.'),
  follows: maybe(text).describe('Name of a port of which this one is always the next number.'),
})

const volume = z.strictObject({ name: text, mountPath: text, readOnly: maybe(z.boolean()) })

const file = z.strictObject({
  path: text.describe("Relative to the deployment's own volume, with forward slashes."),
  strategy: z.enum(fileStrategies),
  content: text.describe('REPLACE: the whole file. Otherwise the settings to be made in it. A template.'),
})

const parameter = z.strictObject({
  name: text.describe('Templates know its value as {{name}}.'),
  type: z.enum(parameterTypes),
  description: maybe(text),
  required: maybe(z.boolean()).describe("A session can't start without a value."),
  default: maybe(text).describe('As text, whatever the type; never for SECRET.'),
  min: maybe(z.number()).describe('Of the number; for STRING and SECRET of the length in characters.'),
  max: maybe(z.number()),
  pattern: maybe(text).describe('RE2 syntax; the whole value must fit. For STRING and SECRET.'),
  options: maybe(texts).describe('For ENUM.'),
  userEditable: maybe(z.boolean()),
})

const actionInput = z.strictObject({
  name: text,
  type: z.enum(actionInputTypes),
  label: maybe(text),
  required: maybe(z.boolean()),
  default: maybe(text),
  min: maybe(z.number()),
  max: maybe(z.number()),
  options: maybe(texts),
  pattern: maybe(text),
})

const action = z.strictObject({
  name: text,
  label: text.describe('For people.'),
  template: text.describe('One line for the console; {{input}} stands for what was filled in.'),
  inputs: maybe(z.array(actionInput)),
  confirm: maybe(text).describe('Asked before it is done.'),
})

const install = z.strictObject({
  image: text,
  script: text.describe('A template.'),
  entrypoint: maybe(texts),
  volumePath: maybe(text),
  user: maybe(text),
  capabilities: maybe(texts),
  timeoutSeconds: maybe(whole),
})

const config = z.strictObject({
  name: text,
  image: text,
  pullPolicy: maybe(z.enum(['IF_MISSING', 'ALWAYS'])),
  entrypoint: maybe(texts),
  command: maybe(texts).describe('Exact arguments; not together with argsTemplate.'),
  argsTemplate: maybe(text).describe('Rendered, then split as a shell splits words.'),
  envTemplate: maybe(z.record(text, z.union([text, z.number(), z.boolean()]))).describe('Templates by variable name.'),
  parameters: maybe(z.array(parameter)),
  ports: maybe(z.array(port)),
  volumePath: maybe(text).describe("Where the deployment's own volume is mounted: /data/game unless told."),
  volumes: maybe(z.array(volume)),
  files: maybe(z.array(file)),
  user: maybe(text),
  workingDir: maybe(text),
  tty: maybe(z.boolean()),
  capabilities: maybe(texts).describe('Those it keeps; all others are dropped.'),
  readOnlyRootfs: maybe(z.boolean()),
  hostNetwork: maybe(z.boolean()).describe("The machine's network instead of one of its own."),
  resources: maybe(
    z.strictObject({ memoryMb: maybe(whole), cpus: maybe(z.number()), pids: maybe(whole), diskWarnMb: maybe(whole) }),
  ),
  install: maybe(install),
  stop: maybe(z.strictObject({ kind: z.enum(['STDIN', 'SIGNAL']), value: text, graceSeconds: maybe(whole) })),
  readyPattern: maybe(text).describe('RE2 syntax.'),
  readyTimeoutSeconds: maybe(whole).describe('Needs a readyPattern.'),
  watchdog: maybe(z.strictObject({ kind: z.enum(['NO_OUTPUT', 'PORT']), seconds: whole, port: maybe(text) })),
  actions: maybe(z.array(action)),
  logRetentionDays: maybe(whole),
  logRetentionMb: maybe(whole),
  backup: maybe(
    z.strictObject({
      saveHooks: maybe(
        z.strictObject({
          before: maybe(texts).describe('Lines typed before the files are read.'),
          waitFor: maybe(text).describe('RE2 syntax: the line that says that all is saved.'),
          timeoutSeconds: maybe(whole).describe('How long that line may take: 60 unless told.'),
          after: maybe(texts).describe('Lines typed afterwards, whatever happened.'),
        }),
      ),
      include: maybe(texts).describe('Globs of what is taken, relative to the volumes; everything unless told.'),
      exclude: maybe(texts).describe('Globs of what is not taken.'),
    }),
  ).describe('How the game is made to save, and what of its volumes is no save.'),
}) satisfies z.ZodType<GameConfigDraft>

/** A game and one way to run it, as a file. The order of keys is the order in which they are written. */
export const gameConfigFile = z.strictObject({
  version: z.literal(1),
  name: maybe(z.string().regex(/^[a-z][a-z0-9-]{0,49}$/)).describe('Of a preset: the word it is imported by.'),
  game: z.strictObject({ name: text, steamAppId: maybe(whole.min(1)) }),
  verified: maybe(z.boolean()).describe("Of a preset: ManMan's own tests run it."),
  source: maybe(z.strictObject({ url: z.url({ protocol: /^https$/ }), date: z.iso.date() })).describe(
    'Where image, ports and variables were read, and when. A preset that is not verified has one.',
  ),
  config,
})

export type GameConfigFile = z.infer<typeof gameConfigFile>
