import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeShelf } from '../../../lib/presets/shelf.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
let world: ReturnType<typeof makeWorld>
beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

const errors = '... on Error { code message } ... on InvalidInputError { issues { path message } }'
const config =
  'id name game { id name } image yaml parameters { name } ports { name } actions { id name } memory: resources { memoryMb }'
const importPreset = async (name: string): Promise<Answer> =>
  (
    await stage.run(
      'configs',
      `mutation ($name: String!) { importPreset(input: { name: $name }) { __typename ... on GameConfig { ${config} } ${errors} } }`,
      { name },
    )
  ).importPreset
const importYaml = async (source: string, gameId?: string): Promise<Answer> =>
  (
    await stage.run(
      'configs',
      `mutation ($input: ImportGameConfigInput!) { importGameConfig(input: $input) {
        __typename ... on GameConfig { ${config} } ${errors} } }`,
      { input: { source, gameId } },
    )
  ).importGameConfig
const importEgg = async (egg: unknown, gameId?: string): Promise<Answer> =>
  (
    await stage.run(
      'configs',
      `mutation ($input: ImportEggInput!) { importEgg(input: $input) {
        __typename ... on ImportEggPayload { gameConfig { ${config} } unmapped { path reason } } ${errors} } }`,
      { input: { source: typeof egg === 'string' ? egg : JSON.stringify(egg), gameId } },
    )
  ).importEgg

const egg = {
  meta: { version: 'PTDL_v2' },
  name: 'Paper',
  author: 'somebody@example.com',
  description: 'A server',
  docker_images: { 'Java 21': 'registry.example/java:21' },
  startup: 'java -Xmx{{SERVER_MEMORY}}M -jar {{JAR}}',
  config: {
    files: '{"server.properties": {"parser": "properties", "find": {"server-port": "{{server.build.default.port}}"}}}',
    startup: '{"done": ")! For help, type "}',
    logs: '{}',
    stop: 'stop',
  },
  scripts: { installation: { script: '#!/bin/bash\ncurl -o server.jar', container: 'debian:bookworm-slim', entrypoint: 'bash' } },
  variables: [
    {
      name: 'Jar',
      description: 'The file',
      env_variable: 'JAR',
      default_value: 'server.jar',
      user_viewable: true,
      user_editable: true,
      rules: 'required|string|max:20',
    },
  ],
}

describe('a preset', () => {
  it.each(
    makeShelf()
      .list()
      .map(({ name }) => name),
  )('%s becomes a game and a config that can be deployed', async (name) => {
    const imported = await importPreset(name)
    expect(imported, JSON.stringify(imported)).toMatchObject({ __typename: 'GameConfig' })
    const serverId = await world.server()
    expect(await world.deploy({ serverId, gameConfigId: imported.id })).toMatchObject({ __typename: 'ServerGameConfig' })
  })

  it('imported again makes its config again what it says, and no second one', async () => {
    const first = await importPreset('minecraft')
    await stage.run(
      'configs',
      'mutation ($id: ID!) { updateGameConfig(id: $id, input: { image: "other:1", logRetentionDays: 3 }) { __typename } }',
      { id: first.id },
    )
    const again = await importPreset('minecraft')
    expect(again).toEqual(first)
  })

  it('that nobody knows is not found', async () => {
    expect(await importPreset('tetris')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is listed with what is known of it', async () => {
    const { presets } = await stage.run('configs', '{ presets { name game image verified sourceUrl yaml } }')
    expect(presets.length).toBeGreaterThanOrEqual(23)
    for (const { verified, sourceUrl } of presets) expect(verified || sourceUrl).toBeTruthy()
  })
})

describe('a config as YAML', () => {
  it('is the same when it comes back, in a game of another name too', async () => {
    const { yaml, id, game } = await importPreset('valheim')
    expect(await importYaml(yaml)).toMatchObject({ id, game, yaml })
    const other = await world.game()
    const copy = await importYaml(yaml, other)
    expect(copy).toMatchObject({ game: { id: other }, __typename: 'GameConfig' })
    expect(copy.id).not.toBe(id)
    const rest = (text: string): string => text.slice(text.indexOf('\nconfig:'))
    expect(rest(copy.yaml)).toBe(rest(yaml))
  })

  it('is refused with every fault, and makes no game then', async () => {
    const games = async () => (await stage.run('configs', '{ games(last: 200) { nodes { name } } }')).games.nodes.length
    const before = await games()
    const refused = await importYaml('version: 1\ngame: { name: Nothing }\nconfig: { name: x, image: "a b", ports: 7 }')
    expect(refused).toMatchObject({ code: 'INVALID_INPUT' })
    expect(await importYaml('version: 1\ngame: { name: Nothing }\nconfig: { name: x, image: "a b" }')).toMatchObject({
      code: 'INVALID_INPUT',
      issues: [{ path: 'image' }],
    })
    expect(await games()).toBe(before)
  })
})

describe('an egg', () => {
  it('becomes a config, in a game of its name', async () => {
    const { gameConfig, unmapped } = await importEgg(egg)
    expect(gameConfig).toMatchObject({
      name: 'Paper',
      game: { name: 'Paper' },
      image: 'registry.example/java:21',
      parameters: [{ name: 'JAR' }],
    })
    expect(Array.isArray(unmapped)).toBe(true)
    const serverId = await world.server()
    expect(await world.deploy({ serverId, gameConfigId: gameConfig.id })).toMatchObject({ __typename: 'ServerGameConfig' })
  })

  it('of a taken name gets a number', async () => {
    const gameId = await world.game()
    const names = []
    for (let count = 0; count < 3; count++) names.push((await importEgg(egg, gameId)).gameConfig.name)
    expect(names).toEqual(['Paper', 'Paper (2)', 'Paper (3)'])
  })

  it('that is none is refused', async () => {
    expect(await importEgg('no egg')).toMatchObject({ code: 'INVALID_INPUT' })
    expect(await importEgg(egg, 'x')).toMatchObject({ code: 'NOT_FOUND' })
  })
})
