import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeFilesPreview } from '../../../host/preview.ts'
import { eventually } from '../../support/eventually.ts'
import { makeScriptedHost, type ScriptedHost } from './scripted-host.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

const keys = generateKeyPairSync('x25519', {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const secret = 'correct horse battery'
const config = {
  parameters: [
    { name: 'EULA', type: 'BOOL', required: true },
    { name: 'MOTD', type: 'STRING', default: 'hello' },
    { name: 'RCON', type: 'SECRET' },
  ],
  ports: [{ name: 'game', containerPort: 25565, protocol: 'TCP' }],
  resources: { memoryMb: 512 },
  argsTemplate: '--motd {{MOTD}}',
  envTemplate: { RCON: '{{RCON}}', PORT: '{{port.game}}' },
  files: [{ path: 'server.properties', strategy: 'PROPERTIES', content: 'motd={{MOTD}}\nrcon={{RCON}}\n' }],
}

let stage: Stage
let world: ReturnType<typeof makeWorld>
let host: ScriptedHost
let dataDir: string
let serverId: string
let gameConfigId: string
beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
  dataDir = await mkdtemp(join(tmpdir(), 'manman-preview-'))
  serverId = await world.server()
  await stage.db.updateTable('servers.servers').set({ public_key: keys.publicKey }).where('id', '=', serverId).execute()
  gameConfigId = await world.config(config)
  host = makeScriptedHost(stage, serverId, '')
  host.onPreview(makeFilesPreview({ dataDir, environment: 'default', privateKey: keys.privateKey }))
})
afterAll(async () => {
  await host.stop()
  await stage.close()
  await rm(dataDir, { recursive: true, force: true })
})

const preview = async (input: object = {}, deploymentId?: string): Promise<Answer> =>
  (
    await stage.run(
      'configs',
      `query ($input: DeployGameConfigInput!, $id: ID) { previewDeployment(input: $input, serverGameConfigId: $id) {
        issues { path message } command env resources { memoryMb } ports { name hostPort } parameters { name value source }
        files { path exists diff } filesNote } }`,
      { input: { serverId, gameConfigId, ...input }, id: deploymentId },
    )
  ).previewDeployment

describe('a preview', () => {
  it('of what is not deployed shows all it would run, and keeps nothing', async () => {
    const before = await stage.countRows()
    const shown = await preview({ parameters: { EULA: true, RCON: secret, MOTD: 'two words' }, resources: { memoryMb: 1_024 } })
    expect(shown).toMatchObject({
      issues: [],
      command: ['--motd', 'two words'],
      env: { RCON: '••••••', PORT: String(shown.ports[0].hostPort) },
      resources: { memoryMb: 1_024 },
      parameters: [{ value: 'true' }, { value: 'two words', source: 'DEPLOYMENT' }, { value: null, source: 'DEPLOYMENT' }],
      files: [{ path: 'server.properties', exists: false }],
    })
    expect(shown.files[0].diff).toContain('+motd=two words\n+rcon=••••••\n')
    expect(JSON.stringify(shown)).not.toContain(secret)
    expect(await stage.countRows()).toEqual(before)
  })

  it('tells every reason why it could not be', async () => {
    const { deploymentId } = await world.session({}, { ports: config.ports })
    const taken = await stage.db
      .selectFrom('configs.server_ports')
      .select('port')
      .where('server_game_config_id', '=', deploymentId)
      .executeTakeFirstOrThrow()
    expect(
      (await preview({ parameters: { MOTD: 7, NOPE: 1 }, startPriority: -1 })).issues.map(({ path }: Answer) => path),
    ).toEqual(['startPriority', 'parameters.NOPE', 'parameters.EULA'])
    const other = await stage.db
      .selectFrom('configs.server_game_configs')
      .select('server_id')
      .where('id', '=', deploymentId)
      .executeTakeFirstOrThrow()
    const onOther = await preview({
      serverId: other.server_id,
      parameters: { EULA: true },
      portBindings: [{ name: 'game', hostPort: taken.port }],
    })
    expect(onOther.issues).toEqual([{ path: 'portBindings', message: expect.stringContaining(deploymentId) }])
  })

  it('of a deployment compares with the files that the game has, and shows no secret, not even the one before', async () => {
    const deployed = await world.deploy({ serverId, gameConfigId, parameters: { EULA: true, RCON: secret } })
    expect(await preview({}, deployed.id)).toMatchObject({ filesNote: expect.stringContaining('new files') })
    await host.start()
    await eventually(async () => (await preview({}, deployed.id)).filesNote === 'The deployment has no files yet.', {
      what: 'the host answers',
    })
    const volume = join(dataDir, `gsc-default-${deployed.id}`)
    await mkdir(volume)
    await writeFile(join(volume, 'server.properties'), 'seed=7\nmotd=old\nrcon=the one before\n')
    const shown = await preview({ parameters: { MOTD: 'new' } }, deployed.id)
    expect(shown).toMatchObject({ filesNote: null, issues: [], files: [{ exists: true }] })
    expect(shown.files[0].diff).toContain('+motd=new\n+rcon=••••••')
    expect(shown.files[0].diff).toContain(' seed=7')
    expect(JSON.stringify(shown)).not.toMatch(/the one before|correct horse/)
    await rm(join(volume, 'server.properties'))
    await symlink('/etc/passwd', join(volume, 'server.properties'))
    const refused = await preview({}, deployed.id)
    expect(refused.filesNote).toContain('server.properties')
    expect(JSON.stringify(refused)).not.toContain('root:')
  })

  it('of what is not there is not found', async () => {
    for (const [input, id] of [[{ serverId: 'x' }], [{ gameConfigId: 'x' }], [{}, 'x']] as const) {
      const text =
        'query ($input: DeployGameConfigInput!, $id: ID) { previewDeployment(input: $input, serverGameConfigId: $id) { env } }'
      expect(await stage.fail('configs', text, { input: { serverId, gameConfigId, ...input }, id })).toMatchObject({
        code: 'NOT_FOUND',
      })
    }
  })
})
