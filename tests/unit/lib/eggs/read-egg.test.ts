import { describe, expect, it } from 'vitest'
import { checkConfig } from '../../../../bench/eggs/read.ts'
import { Invalid } from '../../../../lib/domain/errors.ts'
import { readEgg } from '../../../../lib/eggs/read-egg.ts'
import { plcnV1, plcnV3, ptdlV1, ptdlV2 } from './samples.ts'

const read = (egg: object) => readEgg(JSON.stringify(egg))

const island = {
  name: 'Island',
  parameters: [
    { name: 'WORLD', type: 'STRING', required: true, default: 'island', max: 20, userEditable: true },
    { name: 'SLOTS', type: 'INT', required: true, default: '16', min: 1, max: 64, userEditable: false },
  ],
  volumePath: '/home/container',
  workingDir: '/home/container',
  tty: true,
  readOnlyRootfs: true,
  user: null,
  resources: { memoryMb: 1_024 },
}

describe('an egg', () => {
  it('of PTDL_v1 is a game config', () => {
    const { gameName, config, unmapped } = read(ptdlV1)
    expect(gameName).toBe('Island')
    expect(config).toMatchObject({ ...island, image: 'games.example/island:1', stop: { kind: 'STDIN', value: 'stop' } })
    expect(config.readyPattern).toBe('Island is up \\(')
    expect(config.files).toEqual([
      {
        path: 'server.properties',
        strategy: 'PROPERTIES',
        content: 'server-port={{port.game}}\nmotd=Welcome to {{WORLD}}\nmax-players={{SLOTS}}\n',
      },
    ])
    expect(unmapped).toEqual([])
    checkConfig({ gameName, config, unmapped })
  })

  it('of PTDL_v2 has the first of its images', () => {
    const { config, unmapped } = read(ptdlV2)
    expect(config).toMatchObject({ ...island, image: 'games.example/island:2', stop: { kind: 'SIGNAL', value: 'SIGINT' } })
    expect(unmapped).toEqual([{ path: 'docker_images', reason: 'a config has one image: the first is taken' }])
  })

  it('of PLCN_v1 says the same', () => {
    expect(read(plcnV1).config).toEqual(read(ptdlV2).config)
    expect(read(plcnV1).unmapped).toEqual([])
  })

  it('of PLCN_v3 may be YAML', () => {
    const { config, unmapped } = readEgg(plcnV3)
    expect(config).toMatchObject({ ...island, image: 'games.example/island:2', stop: { kind: 'SIGNAL', value: 'SIGINT' } })
    expect(config.readyPattern).toBe('(?:Island is up \\()|(?:^Ready in \\d+ s$)')
    expect(config.files).toEqual(read(ptdlV2).config.files)
    expect(config.install).toMatchObject({ entrypoint: ['/bin/bash', '-c'], script: '#!/bin/bash\necho "{{done}}"' })
    expect(unmapped).toEqual([])
    checkConfig({ gameName: '', config, unmapped })
  })

  it('tells the image what Wings would tell it', () => {
    expect(read(ptdlV2).config.envTemplate).toEqual({
      STARTUP: './island --port ${SERVER_PORT} --world ${WORLD}',
      SERVER_MEMORY: '{{memoryMb}}',
      SERVER_IP: '0.0.0.0',
      SERVER_PORT: '{{port.game}}',
      P_SERVER_UUID: '{{deployment.id}}',
      P_SERVER_LOCATION: '{{server.name}}',
      P_SERVER_ALLOCATION_LIMIT: '0',
      TZ: 'UTC',
      USER: 'container',
      HOME: '/home/container',
      WORLD: '{{WORLD}}',
      SLOTS: '{{SLOTS}}',
      QUERY_PORT: '{{port.query-port}}',
    })
  })

  it('has its default allocation and further ports as pairs', () => {
    const side = (name: string, containerPort: number, protocol: string) => ({ name, containerPort, protocol, sameInside: true })
    expect(read(ptdlV2).config.ports).toEqual([
      side('game', 25_565, 'TCP'),
      side('game-udp', 25_565, 'UDP'),
      side('query-port', 27_016, 'TCP'),
      side('query-port-udp', 27_016, 'UDP'),
    ])
  })

  it('keeps its script word for word, but for line ends', () => {
    expect(read(ptdlV1).config.install).toEqual({
      image: 'games.example/installer:1',
      script: '#!/bin/bash\ncurl -o game.tgz "https://games.example/${WORLD}"\necho "{{done}}"\n',
      entrypoint: ['bash', '-c'],
      volumePath: '/mnt/server',
      capabilities: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETGID', 'SETUID'],
    })
  })

  it('may set memory and main port by variables of the platform’s names, which are no parameters', () => {
    const own = (env_variable: string, default_value: string) => ({ name: '', env_variable, default_value, rules: 'required' })
    const { config } = read({
      ...ptdlV1,
      variables: [own('SERVER_MEMORY', '4096'), own('SERVER_PORT', '7777'), own('TZ', 'Asia/Tokyo')],
    })
    expect(config.resources).toEqual({ memoryMb: 4_096 })
    expect(config.ports).toMatchObject([{ containerPort: 7_777 }, { containerPort: 7_777 }])
    expect(config.parameters).toMatchObject([{ name: 'TZ', default: 'Asia/Tokyo' }])
    expect(config.envTemplate).toMatchObject({ SERVER_MEMORY: '{{memoryMb}}', SERVER_PORT: '{{port.game}}', TZ: '{{TZ}}' })
  })

  it('whose game is never told its port keeps it inside', () => {
    const fixed = { ...ptdlV1, startup: './island -port=7777', config: { ...ptdlV1.config, files: '{}' } }
    expect(read(fixed).config.ports).toMatchObject([
      { name: 'game', containerPort: 7_777, sameInside: false },
      { name: 'game-udp', containerPort: 7_777, sameInside: false },
      { name: 'query-port' },
      { name: 'query-port-udp' },
    ])
  })

  it('gets its variables under both names when one is in small letters', () => {
    const variable = { name: 'Slots', env_variable: 'maxplayers', default_value: '8', rules: 'required|integer' }
    const { config } = read({ ...ptdlV1, startup: './island {{maxplayers}}', variables: [variable] })
    expect(config.envTemplate).toMatchObject({
      maxplayers: '{{maxplayers}}',
      MAXPLAYERS: '{{maxplayers}}',
      STARTUP: './island ${maxplayers}',
    })
  })

  it('tells by its path each field that has no equivalent', () => {
    const { config, unmapped } = read({
      ...ptdlV2,
      docker_images: { a: 'games.example/island:2' },
      features: ['eula'],
      file_denylist: ['secret.txt'],
      startup: './island {{NOBODY}}',
      mystery: 1,
      config: { ...ptdlV2.config, files: 'no json', logs: { custom: true }, stop: '^X', startup: '{"done": "regex:("}' },
      scripts: { installation: { ...ptdlV2.scripts.installation, entrypoint: 'perl' } },
      variables: [
        { ...ptdlV2.variables[0], user_viewable: false },
        { ...ptdlV2.variables[0], name: 'Again' },
        { ...ptdlV2.variables[0], env_variable: '1ST' },
        { ...ptdlV2.variables[0], env_variable: 'STARTUP' },
      ],
    })
    expect(unmapped.map(({ path }) => path).sort()).toEqual([
      'config.files',
      'config.logs',
      'config.startup.done',
      'config.stop',
      'features',
      'file_denylist',
      'mystery',
      'scripts.installation.entrypoint',
      'startup',
      'variables.0.user_viewable',
      'variables.1',
      'variables.2',
      'variables.3',
    ])
    expect(config).toMatchObject({ install: null, readyPattern: null, stop: { kind: 'SIGNAL', value: 'SIGTERM' } })
    expect(config.parameters).toMatchObject([{ name: 'WORLD', userEditable: false }])
  })
})

describe('what is no egg', () => {
  const faultsOf = (source: string): { path: string; message: string }[] => {
    try {
      readEgg(source)
    } catch (error) {
      if (error instanceof Invalid) return [...error.issues]
      throw error
    }
    return []
  }

  it.each(['', 'egg', '[]', '42', 'null', '{"a":', '{}', 'a: [', '- 1', '!!binary x', '&a [*a]', `${'['.repeat(20_000)}`])(
    'is refused: %s',
    (source) => expect(faultsOf(source).length).toBeGreaterThan(0),
  )

  it('is refused with every fault', () => {
    const bad = { ...ptdlV2, name: ' ', meta: { version: 'PTDL_v9' }, variables: [{ name: 'x' }, 7] }
    expect(faultsOf(JSON.stringify(bad)).map(({ path }) => path)).toEqual([
      'meta.version',
      'name',
      'variables.0.env_variable',
      'variables.1',
    ])
  })

  it('is refused when nothing says what to run', () => {
    expect(faultsOf(JSON.stringify({ ...ptdlV2, docker_images: {} }))).toEqual([
      { path: 'docker_images', message: 'names no image' },
    ])
    expect(faultsOf(JSON.stringify({ ...ptdlV2, docker_images: { a: 'no image!' } }))).toEqual([
      { path: 'docker_images', message: 'holds no image reference' },
    ])
  })
})
