import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { RE2JS } from 're2js'
import { describe, expect, it, vi } from 'vitest'
import { run } from '../../../cli/program.ts'
import { renderArgs } from '../../../lib/domain/argv.ts'
import { NotFound } from '../../../lib/domain/errors.ts'
import type { ActionInputDraft, GameConfigDraft, ParameterDraft } from '../../../lib/domain/game-config.ts'
import { isImageReference } from '../../../lib/domain/images.ts'
import { duplicates } from '../../../lib/domain/inputs.ts'
import { builtInNames, templateFaults } from '../../../lib/domain/template.ts'
import { readGameConfigYaml, writeGameConfigYaml } from '../../../lib/presets/format.ts'
import { makeShelf, type Preset } from '../../../lib/presets/shelf.ts'
import { capabilities, signals } from '../../../subgraphs/configs/linux.ts'
import { packagedGames } from '../../support/images/packaged-games.ts'

const folder = resolve(import.meta.dirname, '../../../presets')
const presets = makeShelf().list()
const named = presets.map((preset): [string, Preset] => [preset.name, preset])

const wanted = [
  ...['minecraft', 'minecraft-bedrock', 'cs2', 'l4d2', 'necesse', 'arma-reforger', 'satisfactory', 'core-keeper', 'valheim'],
  ...['terraria', 'palworld', 'factorio', 'rust', 'project-zomboid', 'seven-days-to-die', 'ark', 'garrysmod'],
  ...['team-fortress-2', 'armagetron', 'openttd', 'freeciv', 'bzflag', 'teeworlds'],
]

/** Names that every template of the config knows. */
const namesOf = ({ ports, parameters, resources }: GameConfigDraft): Set<string> =>
  new Set([
    ...builtInNames({ portNames: (ports ?? []).map(({ name }) => name), memoryMb: resources?.memoryMb ?? null }),
    ...(parameters ?? []).map(({ name }) => name),
  ])

const templatesOf = ({ argsTemplate, envTemplate, files, install }: GameConfigDraft): string[] => [
  argsTemplate ?? '',
  ...Object.values(envTemplate ?? {}).map(String),
  ...(files ?? []).map(({ content }) => content),
  install?.script ?? '',
]

const fits = ({ type, default: value, min, max, pattern, options }: ParameterDraft | ActionInputDraft): boolean => {
  if (value == null) return true
  if (type === 'ENUM') return options?.includes(value) ?? false
  if (type === 'BOOL') return value === 'true' || value === 'false'
  const measure = type === 'INT' || type === 'FLOAT' ? Number(value) : value.length
  if (type === 'INT' && !Number.isInteger(measure)) return false
  if (!(measure >= (min ?? -Infinity) && measure <= (max ?? Infinity))) return false
  return pattern == null || RE2JS.matches(pattern, value)
}

describe('the shelf', () => {
  it('has every preset that is promised, and no other', () => {
    expect(presets.map(({ name }) => name)).toEqual([...wanted].sort())
  })

  it('calls verified what the end-to-end tests run, and nothing else', () => {
    expect(presets.filter(({ verified }) => verified).map(({ name }) => name)).toEqual([...packagedGames])
  })

  it('gives one by its name, and says so when there is none', () => {
    const shelf = makeShelf(folder)
    expect(shelf.get('minecraft').game.name).toBe('Minecraft')
    expect(() => shelf.get('tetris')).toThrow(NotFound)
  })

  it.each([
    ['another name than its file’s', 'name: other\nverified: true\n', /tag\.yaml: name: must be the name of the file/],
    ['no word on who ran it', 'name: tag\n', /tag\.yaml: verified: is required/],
    ['neither a run nor a source', 'name: tag\nverified: false\n', /tag\.yaml: source: is required/],
  ])('refuses a file with %s', (_, head, message) => {
    const directory = mkdtempSync(join(tmpdir(), 'presets-'))
    writeFileSync(join(directory, 'tag.yaml'), `version: 1\n${head}game: { name: Tag }\nconfig: { name: Tag, image: tag:1 }\n`)
    expect(() => makeShelf(directory).list()).toThrow(message)
    rmSync(directory, { recursive: true })
  })
})

describe.each(named)('the preset %s', (name, { config, verified, source, yaml }) => {
  const known = namesOf(config)

  it('shows editors its schema', () => {
    expect(yaml.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema.json')
  })

  it('says who vouches for it', () => {
    expect(verified || source).toBeTruthy()
    if (source) expect(source.url).toMatch(/^https:\/\//)
  })

  it('has an image, ports, a place for what is kept, and an end', () => {
    expect(isImageReference(config.image)).toBe(true)
    expect(config.image).toMatch(/:[^/]+$/)
    expect(config.ports?.[0]?.name).toBe('game')
    expect(config.volumePath).toMatch(/^\//)
    expect(config.resources?.memoryMb).toBeGreaterThan(0)
    expect(config.resources?.diskWarnMb).toBeGreaterThan(0)
    expect(config.stop?.graceSeconds).toBeGreaterThan(0)
    if (config.stop?.kind === 'SIGNAL') expect(signals).toContain(config.stop.value)
    for (const one of config.capabilities ?? []) expect(capabilities).toContain(one)
  })

  it('can hand its stop on: who starts as root and goes on as another keeps KILL', () => {
    if (config.stop?.kind === 'SIGNAL' && config.capabilities?.includes('SETUID')) expect(config.capabilities).toContain('KILL')
  })

  it('knows every name its templates have', () => {
    const faults = templatesOf(config).flatMap((template) => templateFaults(template, known))
    expect(faults).toEqual([])
    if (config.argsTemplate != null) renderArgs(config.argsTemplate, new Map([...known].map((one) => [one, 'x'])))
  })

  it('uses each of its parameters', () => {
    const all = templatesOf(config).join('\n')
    for (const { name: parameter } of config.parameters ?? []) expect(all).toContain(`{{${parameter}}}`)
  })

  it('has a few parameters, each of which can have its default', () => {
    const parameters = config.parameters ?? []
    expect(parameters.length).toBeGreaterThanOrEqual(4)
    expect(parameters.length).toBeLessThanOrEqual(12)
    expect(duplicates(parameters, (one) => one.name)).toEqual(new Set())
    for (const one of parameters) {
      expect(one.name).toMatch(/^[A-Za-z][A-Za-z0-9_]*$/)
      if (one.type === 'SECRET') expect(one.default ?? null).toBeNull()
      if (one.type === 'ENUM') expect(one.options?.length).toBeGreaterThan(0)
      expect(`${one.name} ${fits(one)}`).toBe(`${one.name} true`)
    }
  })

  it('has ports with names and numbers of their own, and each that follows follows one that is there', () => {
    const ports = config.ports ?? []
    expect(duplicates(ports, (one) => one.name)).toEqual(new Set())
    expect(duplicates(ports, (one) => `${one.containerPort}/${one.protocol}`)).toEqual(new Set())
    for (const { follows, containerPort, protocol } of ports.filter((one) => one.follows != null)) {
      const leader = ports.find((one) => one.name === follows)
      expect([leader?.containerPort, leader?.protocol]).toEqual([containerPort - 1, protocol])
    }
  })

  it('puts volumes in places of their own', () => {
    const places = [config.volumePath, ...(config.volumes ?? []).map(({ mountPath }) => mountPath)]
    expect(new Set(places).size).toBe(places.length)
    expect(duplicates(config.volumes ?? [], (one) => one.name)).toEqual(new Set())
  })

  it('has patterns that RE2 reads', () => {
    const patterns = [
      config.readyPattern,
      ...(config.parameters ?? []).map(({ pattern }) => pattern),
      ...(config.actions ?? []).flatMap(({ inputs }) => (inputs ?? []).map(({ pattern }) => pattern)),
    ]
    for (const pattern of patterns) if (pattern != null) RE2JS.compile(pattern)
    if (config.readyTimeoutSeconds != null) expect(config.readyPattern).toBeTruthy()
  })

  it('has actions only where something is typed, with inputs that their commands use', () => {
    const actions = config.actions ?? []
    if (config.stop?.kind === 'SIGNAL') expect(actions).toEqual([])
    else expect(actions.length).toBeGreaterThanOrEqual(2)
    expect(actions.length).toBeLessThanOrEqual(5)
    expect(duplicates(actions, (one) => one.name)).toEqual(new Set())
    for (const { name: action, template, inputs } of actions) {
      expect(action).toMatch(/^[A-Za-z0-9_-]+$/)
      expect(template).not.toContain('\n')
      expect(templateFaults(template, new Set([...known, ...(inputs ?? []).map((one) => one.name)]))).toEqual([])
      for (const one of inputs ?? [])
        expect([one.name, template.includes(`{{${one.name}}}`), fits(one)]).toEqual([one.name, true, true])
    }
  })

  it('has a Dockerfile if its image is ours', () => {
    const ours = /^manman\/([a-z]+):debian12$/.exec(config.image)
    if (ours) expect(readFileSync(join(folder, 'images', name, 'Dockerfile'), 'utf8')).toMatch(/^ARG BASE=debian:bookworm-slim\n/)
    else expect(existsSync(join(folder, 'images', name))).toBe(false)
  })

  it('is the same config after it was exported and read', () => {
    const read = readGameConfigYaml(writeGameConfigYaml(readGameConfigYaml(yaml)))
    const withGrace = (one: GameConfigDraft) => ({ ...one, stop: { graceSeconds: 30, ...one.stop } })
    expect(withGrace(read.config)).toEqual(withGrace(config))
  })
})

describe('manman presets', () => {
  const cli = async (...words: string[]): Promise<{ out: string; err: string; code: unknown }> => {
    const answer = { out: '', err: '', code: undefined as unknown }
    const into = (name: 'out' | 'err') => (text: unknown) => {
      answer[name] += String(text)
      return true
    }
    vi.spyOn(console, 'log').mockImplementation((line) => void into('out')(`${line}\n`))
    vi.spyOn(process.stdout, 'write').mockImplementation(into('out'))
    vi.spyOn(process.stderr, 'write').mockImplementation(into('err'))
    await run(['node', 'manman', 'presets', ...words]).finally(() => vi.restoreAllMocks())
    answer.code = process.exitCode
    process.exitCode = undefined
    return answer
  }

  it('prints each with its game, image, ports, whether we have run it, and where it was read', async () => {
    const [head, ...rows] = (await cli()).out.trimEnd().split('\n')
    expect(head).toMatch(/^NAME +GAME +IMAGE +PORTS +VERIFIED +SOURCE$/)
    expect(rows).toHaveLength(presets.length)
    for (const [index, { name, game, config, verified, source }] of presets.entries()) {
      const cells = rows[index]!.split(/ {2,}/)
      expect(cells.slice(0, 3)).toEqual([name, game.name, config.image])
      expect(cells.slice(4)).toEqual([verified ? 'yes' : 'no', source ? `${source.url} (${source.date})` : '-'])
    }
    expect(rows.find((row) => row.startsWith('valheim'))).toContain('2456/udp 2457/udp')
  })

  it('prints the file of one', async () => {
    const { out } = await cli('teeworlds')
    expect(out).toBe(readFileSync(join(folder, 'teeworlds.yaml'), 'utf8'))
  })

  it('says that there is none of a name, and fails', async () => {
    expect(await cli('tetris')).toEqual({ out: '', err: 'There is no preset tetris.\n', code: 1 })
  })
})

describe('our own images', () => {
  it('all belong to a preset', () => {
    expect(readdirSync(join(folder, 'images')).every((name) => wanted.includes(name))).toBe(true)
  })
})
