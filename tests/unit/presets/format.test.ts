import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Invalid } from '../../../lib/domain/errors.ts'
import { actionInputTypes, fileStrategies, type GameConfigDraft, parameterTypes } from '../../../lib/domain/game-config.ts'
import { readGameConfigYaml, writeGameConfigYaml } from '../../../lib/presets/format.ts'

const minimal = 'version: 1\ngame: { name: Tag }\nconfig: { name: Tag, image: tag:1 }\n'

const issuesOf = (yaml: string): { path: string; message: string }[] => {
  try {
    readGameConfigYaml(yaml)
  } catch (error) {
    if (error instanceof Invalid) return [...error.issues]
    throw error
  }
  return []
}

/** What people write may hold anything: quotes, colons, line breaks, blanks at either end, what looks like a number. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('a', ' ', '\n', '\r', '\t', '#', ':', '-', '"', "'", '|', '>', '{', '\u0085'),
    maxLength: 30,
  }),
  fc.constantFrom('', 'true', 'null', '~', '1.0', '0x1f', '2026-11-23', '<<', '---\n...', '{{port.game}}', '#!/bin/sh\nexit 0\n'),
)
const whole = fc.integer({ min: 1, max: 65_535 })
const some = <Value>(value: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constantFrom(null, undefined) })
const list = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { maxLength: 3 })
const key = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,8}$/)
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)

const record = <Model>(optional: { [Key in keyof Model]: fc.Arbitrary<Model[Key]> }, requiredKeys: (keyof Model)[] = []) =>
  fc.record(optional, { requiredKeys })

const bounds = { min: some(number), max: some(number), pattern: some(anyText), options: some(list(anyText)) }
const config = record<GameConfigDraft>(
  {
    name: anyText,
    image: anyText,
    pullPolicy: some(fc.constantFrom('IF_MISSING', 'ALWAYS')),
    entrypoint: some(list(anyText)),
    command: some(list(anyText)),
    argsTemplate: some(anyText),
    envTemplate: some(fc.dictionary(key, fc.oneof(anyText, number, fc.boolean()), { noNullPrototype: true })),
    files: some(list(fc.record({ path: anyText, strategy: fc.constantFrom(...fileStrategies), content: anyText }))),
    parameters: some(
      list(
        fc.record(
          {
            ...bounds,
            name: anyText,
            type: fc.constantFrom(...parameterTypes),
            required: some(fc.boolean()),
            default: some(anyText),
            description: some(anyText),
            userEditable: some(fc.boolean()),
          },
          { requiredKeys: ['name', 'type'] },
        ),
      ),
    ),
    user: some(anyText),
    workingDir: some(anyText),
    tty: some(fc.boolean()),
    capabilities: some(list(anyText)),
    readOnlyRootfs: some(fc.boolean()),
    hostNetwork: some(fc.boolean()),
    volumes: some(
      list(
        fc.record({ name: anyText, mountPath: anyText, readOnly: some(fc.boolean()) }, { requiredKeys: ['name', 'mountPath'] }),
      ),
    ),
    ports: some(
      list(
        fc.record(
          {
            name: anyText,
            containerPort: whole,
            protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
            sameInside: some(fc.boolean()),
            follows: some(anyText),
          },
          { requiredKeys: ['name', 'containerPort', 'protocol'] },
        ),
      ),
    ),
    volumePath: some(fc.oneof(anyText, fc.constant('/data/game'))),
    stop: some(
      fc.record(
        {
          kind: fc.constantFrom('STDIN' as const, 'SIGNAL' as const),
          value: fc.oneof(anyText, fc.constant('SIGTERM')),
          graceSeconds: some(fc.constantFrom(0, 30, 90)),
        },
        { requiredKeys: ['kind', 'value'] },
      ),
    ),
    resources: some(fc.record({ memoryMb: some(whole), cpus: some(number), pids: some(whole), diskWarnMb: some(whole) })),
    readyPattern: some(anyText),
    readyTimeoutSeconds: some(whole),
    watchdog: some(
      fc.record(
        { kind: fc.constantFrom('NO_OUTPUT' as const, 'PORT' as const), seconds: whole, port: some(anyText) },
        { requiredKeys: ['kind', 'seconds'] },
      ),
    ),
    install: some(
      fc.record(
        {
          image: anyText,
          script: anyText,
          entrypoint: some(fc.oneof(list(anyText), fc.constant(['/bin/sh', '-ec']))),
          volumePath: some(fc.oneof(anyText, fc.constant('/mnt/server'))),
          user: some(anyText),
          capabilities: some(list(anyText)),
          timeoutSeconds: some(fc.constantFrom(60, 3_600)),
        },
        { requiredKeys: ['image', 'script'] },
      ),
    ),
    actions: some(
      list(
        fc.record(
          {
            name: anyText,
            label: anyText,
            template: anyText,
            inputs: some(
              list(
                fc.record(
                  {
                    ...bounds,
                    name: anyText,
                    type: fc.constantFrom(...actionInputTypes),
                    label: some(anyText),
                    required: some(fc.boolean()),
                    default: some(anyText),
                  },
                  { requiredKeys: ['name', 'type'] },
                ),
              ),
            ),
            confirm: some(anyText),
          },
          { requiredKeys: ['name', 'label', 'template'] },
        ),
      ),
    ),
    logRetentionDays: some(whole),
    logRetentionMb: some(whole),
    backup: some(
      fc.record(
        {
          saveHooks: some(
            fc.record(
              {
                before: some(list(anyText)),
                waitFor: some(anyText),
                timeoutSeconds: some(fc.constantFrom(5, 60)),
                after: some(list(anyText)),
              },
              { requiredKeys: [] },
            ),
          ),
          include: some(list(anyText)),
          exclude: some(list(anyText)),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  ['name', 'image'],
)

type Fields = Record<string, unknown>

/** Without nulls, which mean nothing. */
const present = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(present)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner != null)
      .map(([name, inner]) => [name, present(inner)]),
  )
}

const each = (items: unknown, filled: Fields): Fields[] => ((items ?? []) as Fields[]).map((item) => ({ ...filled, ...item }))

/** A config with every default written out, as the API would have it. */
const filledUp = (draft: GameConfigDraft): unknown => {
  const given = present(draft) as Fields
  return {
    pullPolicy: 'IF_MISSING',
    tty: false,
    readOnlyRootfs: false,
    hostNetwork: false,
    volumePath: '/data/game',
    envTemplate: {},
    files: [],
    parameters: [],
    capabilities: [],
    resources: {},
    ...given,
    stop: { graceSeconds: 30, ...((given.stop as Fields) ?? { kind: 'SIGNAL', value: 'SIGTERM' }) },
    ports: each(given.ports, { sameInside: false }),
    volumes: each(given.volumes, { readOnly: false }),
    actions: each(given.actions, { inputs: [] }),
    backup: filledBackup((given.backup ?? {}) as Fields),
    ...(given.install !== undefined && {
      install: {
        entrypoint: ['/bin/sh', '-ec'],
        volumePath: '/mnt/server',
        capabilities: [],
        timeoutSeconds: 3_600,
        ...(given.install as Fields),
      },
    }),
  }
}

const filledBackup = ({ saveHooks, ...backup }: Fields): Fields => ({
  include: [],
  exclude: [],
  ...backup,
  saveHooks: saveHooks ? { before: [], timeoutSeconds: 60, after: [], ...saveHooks } : null,
})

const inFile = (draft: GameConfigDraft) => ({ version: 1 as const, game: { name: 'Tag', steamAppId: 7 }, config: draft })

describe('a config written as YAML', () => {
  it('is read again as the same, whatever is in it', () => {
    fc.assert(
      fc.property(config, (draft) => {
        const read = readGameConfigYaml(writeGameConfigYaml(inFile(draft)))
        expect(filledUp(read.config)).toEqual(filledUp(draft))
        expect(read.game).toEqual({ name: 'Tag', steamAppId: 7 })
      }),
      { numRuns: 500 },
    )
  })

  it('is the same text after it was read and written', () => {
    fc.assert(
      fc.property(config, (draft) => {
        const yaml = writeGameConfigYaml(inFile(draft))
        expect(writeGameConfigYaml(readGameConfigYaml(yaml))).toBe(yaml)
      }),
    )
  })

  it('leaves out defaults, keeps scripts as blocks and one order of keys, and begins with a comment', () => {
    const yaml = writeGameConfigYaml(
      inFile({
        actions: [],
        install: { script: 'set -e\necho "hello"\n', image: 'debian:12', timeoutSeconds: 3_600 },
        stop: { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 30 },
        ports: [{ protocol: 'UDP', containerPort: 7, name: 'game', sameInside: false }],
        tty: false,
        image: 'tag:1',
        name: 'Tag',
      }),
      'first',
    )
    expect(yaml).toBe(`# first
version: 1
game:
  name: Tag
  steamAppId: 7
config:
  name: Tag
  image: tag:1
  ports:
    - name: game
      containerPort: 7
      protocol: UDP
  install:
    image: debian:12
    script: |
      set -e
      echo "hello"
`)
  })

  it('keeps an empty entrypoint and an empty command, which take away the image’s', () => {
    const { config: read } = readGameConfigYaml(
      writeGameConfigYaml(inFile({ name: 'Tag', image: 'tag:1', entrypoint: [], command: [] })),
    )
    expect([read.entrypoint, read.command]).toEqual([[], []])
  })
})

describe('YAML that is no config', () => {
  it('is refused with every fault, its path and its line', () => {
    const yaml = `version: 2
game: { name: Tag, appId: 7 }
config:
  name: 7
  ports:
    - { name: game, containerPort: 70000, protocol: tcp }
    - name: other
      containerPort: "80"
      protocol: UDP
      follow: game
  envTemplate: { A: [1] }
  parameters: {}
`
    expect(issuesOf(yaml).map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'version: must be 1 (line 1)',
      'game.appId: is not known here (line 2)',
      'config.name: must be text (numbers and true or false need quotes) (line 4)',
      'config.image: is required (line 3)',
      'config.envTemplate.A: must be text, a number, true or false (line 11)',
      'config.parameters: must be a list (line 12)',
      'config.ports.0.containerPort: must be at most 65535 (line 6)',
      'config.ports.0.protocol: must be "TCP" or "UDP" (line 6)',
      'config.ports.1.containerPort: must be a number (line 8)',
      'config.ports.1.follow: is not known here (line 10)',
    ])
  })

  it.each([
    ['nothing', ''],
    ['a list', '- 1'],
    ['half a map', 'version: {'],
    ['a key twice', `${minimal}version: 1\n`],
    ['two documents', `${minimal}---\n${minimal}`],
    ['a tag', minimal.replace('name: Tag,', 'name: !secret Tag,')],
    ['an alias of nothing', minimal.replace('tag:1', '*x')],
    ['too much text', `${minimal}#${'x'.repeat(1024 * 1024)}`],
    ['too many brackets', '['.repeat(100_000)],
    ['too many braces', '{a: '.repeat(50_000)],
    ['too many marks', '- '.repeat(100_000)],
    ['too many marks that mean a key', '? '.repeat(100_000)],
    [
      'aliases that multiply',
      `${'abcdefghij'
        .split('')
        .map((name, index, all) => `${name}: &${name} [${Array(20).fill(index ? `*${all[index - 1]}` : '1')}]`)
        .join('\n')}`,
    ],
  ])('%s is refused', (_, yaml) => {
    expect(issuesOf(yaml)).not.toEqual([])
  })

  it('says the line of a syntax fault', () => {
    expect(issuesOf('version: 1\ngame: "Tag\n')[0]?.message).toMatch(/\(line [23]\)$/)
  })

  it('reads the least there is', () => {
    expect(readGameConfigYaml(minimal)).toEqual({ version: 1, game: { name: 'Tag' }, config: { name: 'Tag', image: 'tag:1' } })
  })
})
