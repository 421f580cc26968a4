import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { open } from '../../../lib/crypto/sealed-box.ts'
import { finishSession } from '../../../lib/db/session-life.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { commandSchema } from '../../../lib/messages/commands.ts'
import type { SessionSpec } from '../../../lib/messages/session-spec.ts'
import { revealSecrets, secretsContext } from '../../../lib/parameters/secrets.ts'
import { formsOf } from '../../support/files-with.ts'
import { tablesWith } from '../../support/rows-with.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

const secret = 'correct "horse" battery staple'
const host = generateKeyPairSync('x25519', {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

let stage: Stage
let world: ReturnType<typeof makeWorld>
beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

const errors = '... on Error { code message } ... on InvalidInputError { issues { path message } }'
const values = 'parameters { name value source }'
const config = {
  parameters: [
    { name: 'EULA', type: 'BOOL', required: true },
    { name: 'SLOTS', type: 'INT', default: '20', min: 1, max: 100 },
    { name: 'MOTD', type: 'STRING', max: 60 },
    { name: 'RCON', type: 'SECRET', min: 8 },
  ],
  ports: [{ name: 'game', containerPort: 25565, protocol: 'TCP' }],
  resources: { memoryMb: 512 },
  argsTemplate: '--slots {{SLOTS}} --motd={{MOTD}} --rcon {{RCON}} {{MOTD}}',
  envTemplate: { RCON_PASSWORD: 'x{{RCON}}y', PORT: '{{port.game}}', EULA: '{{EULA}}' },
  files: [{ path: 'server.properties', strategy: 'PROPERTIES', content: 'motd={{MOTD}}\nport={{port.game}}\nrcon={{RCON}}' }],
}

/** On a server whose host has a key. */
const deploy = async (parameters: object, given: object = config) => {
  const serverId = await world.server()
  await stage.db
    .updateTable('servers.servers')
    .set({ status: 'ONLINE', public_key: host.publicKey })
    .where('id', '=', serverId)
    .execute()
  const gameConfigId = await world.config(given)
  return { serverId, gameConfigId, deployment: await world.deploy({ serverId, gameConfigId, parameters }) }
}
const update = async (what: 'ServerGameConfig' | 'GameConfig', id: string, input: object): Promise<Answer> =>
  (
    await stage.run(
      'configs',
      `mutation ($id: ID!, $input: Update${what}Input!) { done: update${what}(id: $id, input: $input) {
        __typename ... on ${what} { ${what === 'GameConfig' ? 'id' : `${values} resources { memoryMb cpus }`} } ${errors} } }`,
      { id, input },
    )
  ).done
const session = `__typename ... on Session { id spec ${values} } ${errors}`
const start = async (input: object): Promise<Answer> =>
  (await stage.run('sessions', `mutation ($input: StartSessionInput!) { startSession(input: $input) { ${session} } }`, { input }))
    .startSession
const restart = async (sessionId: string): Promise<Answer> =>
  (
    await stage.run('sessions', `mutation ($id: ID!) { restartSession(input: { sessionId: $id }) { ${session} } }`, {
      id: sessionId,
    })
  ).restartSession
const sent = async (sessionId: string): Promise<SessionSpec> => {
  const rows = await stage.db.selectFrom('outbox.messages').select('body').execute()
  for (const { body } of rows) {
    const command = commandSchema.safeParse(body).data
    if (command?.kind === 'session.start' && command.sessionId === sessionId) return command.spec
  }
  throw new Error('no start was sent')
}
const opened = (spec: SessionSpec, deploymentId: string): Map<string, string> =>
  new Map(Object.entries(JSON.parse(open(host.privateKey, spec.secrets!.sealed, secretsContext(deploymentId)))))
const end = async (id: string, serverId: string, deploymentId: string): Promise<void> =>
  inTransaction(stage.db, async (tx) => {
    await tx.updateTable('sessions.sessions').set({ status: 'STOPPED', ended_at: new Date() }).where('id', '=', id).execute()
    await finishSession(tx, { id, serverId, serverGameConfigId: deploymentId }, new Date())
  })

describe('parameters', () => {
  it('come from three levels, and say from which', async () => {
    const { deployment } = await deploy({ EULA: true, MOTD: 'from the deployment' })
    const started = await start({ serverGameConfigId: deployment.id, parameters: { MOTD: 'from the session' } })
    expect(started.parameters).toEqual([
      { name: 'EULA', value: 'true', source: 'DEPLOYMENT' },
      { name: 'SLOTS', value: '20', source: 'DEFAULT' },
      { name: 'MOTD', value: 'from the session', source: 'SESSION' },
      { name: 'RCON', value: null, source: 'NONE' },
    ])
    const spec = await sent(started.id)
    expect(spec.command).toEqual(['--slots', '20', '--motd=from the session', '--rcon', 'from the session'])
    expect(spec.env).toMatchObject({ EULA: 'true', RCON_PASSWORD: 'xy' })
    expect(spec.values).toMatchObject({
      SLOTS: { text: '20', kind: 'number' },
      EULA: { text: 'true', kind: 'boolean' },
      MOTD: { text: 'from the session', kind: 'text' },
      'port.game': { kind: 'number' },
      RCON: { text: '', kind: 'text' },
    })
    expect(spec.secrets).toBeNull()
  })

  it('are refused with every fault at once, when they are written and again at a start', async () => {
    const { deployment: refused } = await deploy({ SLOTS: 1_000, PVP: true })
    expect(refused).toMatchObject({
      code: 'INVALID_INPUT',
      issues: [{ path: 'parameters.SLOTS' }, { path: 'parameters.PVP' }],
    })
    const { deployment, gameConfigId } = await deploy({ SLOTS: 80 })
    expect(await update('ServerGameConfig', deployment.id, { name: '', parameters: { SLOTS: 0, RCON: 'short' } })).toMatchObject({
      issues: [{ path: 'name' }, { path: 'parameters.SLOTS' }, { path: 'parameters.RCON' }],
    })
    await update('GameConfig', gameConfigId, {
      parameters: [config.parameters[0], { name: 'SLOTS', type: 'INT', max: 50 }],
      argsTemplate: null,
      envTemplate: null,
      files: null,
    })
    expect(await start({ serverGameConfigId: deployment.id, parameters: { MOTD: 'gone' } })).toMatchObject({
      code: 'INVALID_INPUT',
      issues: [{ path: 'parameters.MOTD' }, { path: 'parameters.EULA' }, { path: 'parameters.SLOTS' }],
    })
  })

  it('of a deployment change one by one, and null takes one back', async () => {
    const { deployment } = await deploy({ EULA: true, SLOTS: 30, RCON: secret })
    const changed = await update('ServerGameConfig', deployment.id, {
      parameters: { SLOTS: null, MOTD: 'new' },
      resources: { memoryMb: 1_024 },
    })
    expect(changed).toMatchObject({
      resources: { memoryMb: 1_024, cpus: null },
      parameters: [
        { name: 'EULA', value: 'true', source: 'DEPLOYMENT' },
        { name: 'SLOTS', value: '20', source: 'DEFAULT' },
        { name: 'MOTD', value: 'new', source: 'DEPLOYMENT' },
        { name: 'RCON', value: null, source: 'DEPLOYMENT' },
      ],
    })
    const started = await start({ serverGameConfigId: deployment.id })
    expect((await sent(started.id)).resources).toMatchObject({ memoryMb: 1_024 })
    const gone = await update('ServerGameConfig', deployment.id, { parameters: { RCON: null } })
    expect(gone.parameters.at(-1)).toEqual({ name: 'RCON', value: null, source: 'NONE' })
  })
})

describe('a secret', () => {
  it('reaches the host alone, and is readable nowhere', async () => {
    const { deployment } = await deploy({ EULA: true, RCON: secret })
    const started = await start({ serverGameConfigId: deployment.id })
    const spec = await sent(started.id)
    expect(opened(spec, deployment.id)).toEqual(new Map([['RCON', secret]]))
    const reveal = (text: string): string => revealSecrets(spec.secrets!, text, opened(spec, deployment.id))
    expect(spec.command?.map(reveal)).toEqual(['--slots', '20', '--motd=', '--rcon', secret])
    expect(reveal(spec.env.RCON_PASSWORD!)).toBe(`x${secret}y`)
    expect(started.spec).toMatchObject({
      env: { RCON_PASSWORD: 'x••••••y' },
      command: ['--slots', '20', '--motd=', '--rcon', '••••••'],
    })
    expect(started.spec).not.toHaveProperty('secrets')
    expect(await tablesWith(stage.db, formsOf(secret))).toEqual([])
  })

  it('given for one session alone is taken over by a restart, and by nothing else', async () => {
    const { deployment, serverId } = await deploy({ EULA: true })
    const first = await start({ serverGameConfigId: deployment.id, parameters: { RCON: secret, MOTD: 'tonight' } })
    await end(first.id, serverId, deployment.id)
    const second = await restart(first.id)
    expect(second.parameters.slice(2)).toEqual([
      { name: 'MOTD', value: 'tonight', source: 'SESSION' },
      { name: 'RCON', value: null, source: 'SESSION' },
    ])
    expect(opened(await sent(second.id), deployment.id)).toEqual(new Map([['RCON', secret]]))
    expect(await tablesWith(stage.db, formsOf(secret))).toEqual([])
    await end(second.id, serverId, deployment.id)
    const third = await start({ serverGameConfigId: deployment.id })
    expect(third.parameters.slice(2).map(({ source }: Answer) => source)).toEqual(['NONE', 'NONE'])
  })

  it('can not be sent to a host without a key, and that is said', async () => {
    const { deployment, serverId } = await deploy({ EULA: true, RCON: secret })
    await stage.db.updateTable('servers.servers').set({ public_key: null }).where('id', '=', serverId).execute()
    expect(await start({ serverGameConfigId: deployment.id })).toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('a config', () => {
  it('is refused where a template or file can not be right', async () => {
    const create = async (input: object): Promise<Answer> =>
      (
        await stage.run(
          'configs',
          `mutation ($input: CreateGameConfigInput!) { createGameConfig(input: $input) { __typename ${errors} } }`,
          { input: { gameId: await world.game(), name: 'c', image: 'game:1', ...input } },
        )
      ).createGameConfig
    const refused = await create({
      argsTemplate: '{{NOPE}}',
      parameters: [{ name: 'A', type: 'ENUM' }],
      files: [
        { path: '../etc/passwd', strategy: 'REPLACE', content: '' },
        { path: '/etc/passwd', strategy: 'REPLACE', content: '' },
        { path: 'a', strategy: 'REPLACE', content: '{{NOPE}}' },
        { path: 'a', strategy: 'REPLACE', content: '{{A}}' },
      ],
    })
    expect(refused.issues.map(({ path }: Answer) => path).sort()).toEqual([
      'argsTemplate',
      'files.0.path',
      'files.1.path',
      'files.2.content',
      'files.2.path',
      'files.3.path',
      'parameters.0.options',
    ])
  })
})
