import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { eventually } from '../support/eventually.ts'
import { buildEggImage } from '../support/images/fake-game.ts'
import { ok } from '../support/ok.ts'
import * as operations from '../support/operations.ts'
import { useStack } from '../support/use-stack.ts'

// One egg of each format, and all parsers among them, through install and start: the install step writes the file as a game
// would, the start patches it, and the game shows it.

const { stack, play } = useStack({ topology: 'one' })
let image = ''
beforeAll(async () => {
  image = await buildEggImage()
})

const port = '{{server.build.default.port}}'
interface EggFile {
  path: string
  parser: string
  /** As the install step writes it. */
  before: string
  find: Record<string, unknown>
  /** What the game then sees of it; PORT is the port it was given. */
  after: RegExp
}
const files = {
  properties: {
    path: 'server.properties',
    parser: 'properties',
    before: 'motd=old\\nserver-port=1\\nkept=yes\\n',
    find: { motd: '{{server.build.env.MOTD}}', 'server-port': port },
    after: /motd=two words\nserver-port=PORT\nkept=yes/,
  },
  file: {
    path: 'server.cfg',
    parser: 'file',
    before: '// kept\\nsv_port 1\\n',
    find: { sv_port: `sv_port ${port}` },
    after: /\/\/ kept\nsv_port PORT/,
  },
  ini: {
    path: 'Game.ini',
    parser: 'ini',
    before: '; kept\\n[Server]\\nName=old\\nPort=1\\n',
    find: { 'Server.Name': '{{server.build.env.MOTD}}', 'Server.Port': port },
    after: /; kept\n\[Server\]\nName=two words\nPort=PORT/,
  },
  json: {
    path: 'settings.json',
    parser: 'json',
    before: '{ "port": 1, "deep": { "name": "old", "kept": true } }\\n',
    find: { port, 'deep.name': '{{server.build.env.MOTD}}' },
    after: /"port": PORT, "deep": \{ "name": "two words", "kept": true \}/,
  },
  yaml: {
    path: 'config.yml',
    parser: 'yaml',
    before: '# kept\\nserver:\\n  port: 1\\n  name: old\\n',
    find: { 'server.port': port, 'server.name': '{{server.build.env.MOTD}}' },
    after: /# kept\nserver:\n {2}port: PORT\n {2}name: two words/,
  },
  xml: {
    path: 'server.xml',
    parser: 'xml',
    before: '<server><!-- kept --><port>1</port><name>old</name></server>\\n',
    find: { 'server.port': port, 'server.name': '{{server.build.env.MOTD}}' },
    after: /<server><!-- kept --><port>PORT<\/port><name>two words<\/name><\/server>/,
  },
} satisfies Record<string, EggFile>

const common = (used: readonly EggFile[]) => ({
  author: 'someone@example.com',
  description: 'The fake game.',
  startup: `for file in ${used.map(({ path }) => path).join(' ')}; do cat $file; done; echo "as {{MOTD}} on {{SERVER_PORT}}"; exec game`,
  scripts: {
    installation: {
      script: `echo installing\n${used.map(({ path, before }) => `printf '${before}' > /mnt/server/${path}`).join('\n')}\necho done`,
      container: image,
      entrypoint: 'sh',
    },
  },
  variables: [
    {
      name: 'Message',
      description: 'Shown to players',
      env_variable: 'MOTD',
      default_value: 'two words',
      user_viewable: true,
      user_editable: true,
      rules: 'required|string|max:20' as string | string[],
    },
  ],
})
const fileConfig = (used: readonly EggFile[]) =>
  Object.fromEntries(used.map(({ path, parser, find }) => [path, { parser, find }]))
const asLists = <T extends { variables: { rules: string | string[] }[] }>(egg: T): T => ({
  ...egg,
  variables: egg.variables.map((one) => ({ ...one, rules: String(one.rules).split('|') })),
})

const formats: [string, readonly EggFile[], (used: readonly EggFile[]) => string][] = [
  [
    'PTDL_v1',
    [files.properties, files.file],
    (used) =>
      JSON.stringify({
        meta: { version: 'PTDL_v1' },
        name: 'Egg one',
        image,
        ...common(used),
        config: { files: JSON.stringify(fileConfig(used)), startup: '{"done": "ready"}', logs: '{}', stop: 'quit' },
      }),
  ],
  [
    'PTDL_v2',
    [files.ini, files.json],
    (used) =>
      JSON.stringify({
        meta: { version: 'PTDL_v2' },
        name: 'Egg two',
        docker_images: { Fake: image },
        ...common(used),
        config: { files: JSON.stringify(fileConfig(used)), startup: '{"done": ["never", "ready"]}', logs: '{}', stop: '^C' },
      }),
  ],
  [
    'PLCN_v1',
    [files.yaml],
    (used) =>
      JSON.stringify(
        asLists({
          meta: { version: 'PLCN_v1' },
          name: 'Egg three',
          docker_images: { Fake: image },
          ...common(used),
          config: { files: JSON.stringify(fileConfig(used)), startup: '{"done": "ready"}', logs: '{}', stop: 'quit' },
        }),
      ),
  ],
  [
    'PLCN_v3',
    [files.xml],
    (used) => {
      const { startup, ...rest } = asLists(common(used))
      return stringify({
        meta: { version: 'PLCN_v3' },
        name: 'Egg four',
        docker_images: { Fake: image },
        startup_commands: { Default: startup },
        ...rest,
        config: { files: fileConfig(used), startup: { done: ['ready'] }, logs: {}, stop: 'quit' },
      })
    },
  ],
]

const manman = (words: readonly string[], env: Record<string, string>) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const main = join(import.meta.dirname, '../../dist/cli/main.js')
    execFile(process.execPath, [main, ...words], { env: { PATH: process.env.PATH, ...env } }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    )
  })

describe('manman egg import', () => {
  it('imports what it is given, says what was not taken over, and what is no egg', async () => {
    const { address, adminToken } = stack()
    const directory = await mkdtemp(join(tmpdir(), 'manman-eggs-'))
    const [, used, write] = formats[1]!
    await writeFile(join(directory, 'good.json'), write(used).replace('"config"', '"file_denylist":["secret.txt"],"config"'))
    await writeFile(join(directory, 'wrong.json'), '{"meta":{"version":"PTDL_v2"}}')
    const env = { MANMAN_TOKEN: adminToken }
    const { code, out, err } = await manman(['egg', 'import', directory, '--url', address], env)
    expect(code).toBe(1)
    expect(out).toMatch(/good\.json: Egg two \/ Egg two/)
    expect(out).toMatch(/not taken over: file_denylist/)
    expect(err).toMatch(/wrong\.json: .*name/)
    const refused = await manman(['egg', 'import', directory, '--url', address], { MANMAN_TOKEN: 'wrong' })
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining(address) })
    const untold = await manman(['egg', 'import', directory, '--url', address], { MANMAN_HOME: directory })
    expect(untold).toMatchObject({ code: 1, err: expect.stringContaining('--token-file') })
    await rm(directory, { recursive: true })
  })
})

describe('an egg', () => {
  it.each(formats)('of %s runs through install and start', async (_, used, write) => {
    const { client, serverId } = stack()
    const { importEgg } = await client.run(operations.importEgg, { input: { source: write(used) } })
    const { gameConfig, unmapped } = ok(importEgg, 'ImportEggPayload')
    expect(unmapped).toEqual([])
    const { deployGameConfig } = await client.run(operations.deployGameConfig, {
      input: { serverId, gameConfigId: gameConfig.id, restartPolicy: { mode: 'NEVER' } },
    })
    const deployment = ok(deployGameConfig, 'ServerGameConfig')
    const hostPort = deployment.portBindings.find(({ name }) => name === 'game')!.hostPort
    const session = await play(deployment)
    await session.until('RUNNING')
    await session.logs.line(new RegExp(`as two words on ${hostPort}`))
    await session.logs.line(/ready/)
    // A terminal ends lines in two characters.
    const text = session.logs.texts('STDOUT').join('\n').replaceAll('\r', '')
    for (const { after } of used) expect(text).toMatch(new RegExp(after.source.replaceAll('PORT', String(hostPort))))
    await eventually(async () => (await session.row()).readyAt, { what: 'it is ready, as the egg says' })

    const { serverGameConfig } = await client.run(operations.deploymentInstall, { id: deployment.id })
    expect(serverGameConfig).toMatchObject({
      status: 'ACTIVE',
      install: { kind: 'INSTALL', status: 'STOPPED', endReason: 'EXITED', exitCode: 0 },
    })
    const lines = serverGameConfig?.install?.logs.lines.map(({ text: line }) => line) ?? []
    expect(lines).toEqual(expect.arrayContaining(['installing', 'done']))
    await session.stop()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', endReason: 'REQUESTED' })
  })
})
