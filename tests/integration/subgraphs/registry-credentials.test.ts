import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { open } from '../../../lib/crypto/sealed-box.ts'
import { finishSession } from '../../../lib/db/session-life.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { registryContext } from '../../../lib/domain/images.ts'
import { commandSchema } from '../../../lib/messages/commands.ts'
import { formsOf } from '../../support/files-with.ts'
import { tablesWith } from '../../support/rows-with.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

const password = 'correct "horse"\nbattery staple'
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
beforeEach(async () => {
  await stage.db.deleteFrom('configs.registry_credentials').execute()
})

const fields = `__typename ... on RegistryCredential { id host username updatedAt }
  ... on Error { code message } ... on InvalidInputError { issues { path } }`
const set = async (input: object): Promise<Answer> =>
  (
    await stage.run(
      'configs',
      `mutation ($input: SetRegistryCredentialInput!) { setRegistryCredential(input: $input) { ${fields} } }`,
      { input: { username: 'player', password, ...input } },
    )
  ).setRegistryCredential
const remove = async (host: string): Promise<Answer> =>
  (
    await stage.run(
      'configs',
      `mutation ($host: String!) { deleteRegistryCredential(host: $host) {
        __typename ... on RegistryCredential { host } ... on Error { code message } } }`,
      { host },
    )
  ).deleteRegistryCredential
const list = async (): Promise<Answer[]> =>
  (await stage.run('configs', '{ registryCredentials { nodes { id host username updatedAt } } }')).registryCredentials.nodes

/** A deployment of an image, on a server whose host has a key. */
const deploy = async (image: string, publicKey: string | null = host.publicKey) => {
  const serverId = await world.server()
  await stage.db
    .updateTable('servers.servers')
    .set({ status: 'ONLINE', public_key: publicKey })
    .where('id', '=', serverId)
    .execute()
  const { id } = await world.deploy({ serverId, gameConfigId: await world.config({ image }) })
  return { id, serverId }
}
const startsOf = async (serverId: string) => {
  const lane = stage.db.selectFrom('outbox.messages').select('body').where('lane', '=', `host.${serverId}`).orderBy('position')
  const commands = (await lane.execute()).map(({ body }) => commandSchema.parse(body))
  return commands.flatMap((command) => (command.kind === 'session.start' ? [command] : []))
}
const loginIn = (auth: { registry: string; sealed: string } | null | undefined) =>
  auth && JSON.parse(open(host.privateKey, auth.sealed, registryContext(auth.registry)))

describe('the login of a registry', () => {
  it('is kept by its name, replaced by a new one, and never shown again', async () => {
    const first = await set({ host: 'https://index.docker.io/v1/' })
    expect(first).toMatchObject({ host: 'docker.io', username: 'player' })
    const second = await set({ host: 'docker.io', username: 'other' })
    expect(second).toMatchObject({ id: first.id, host: 'docker.io', username: 'other' })
    await set({ host: 'Registry.Example:5000' })
    expect((await list()).map(({ host }) => host)).toEqual(['docker.io', 'registry.example:5000'])
    const type = await stage.run('configs', '{ __type(name: "RegistryCredential") { fields { name } } }')
    expect(type.__type.fields.map(({ name }: Answer) => name)).toEqual(['host', 'id', 'updatedAt', 'username'])
  })

  it('can be taken away, once', async () => {
    await set({ host: 'ghcr.io' })
    expect(await remove('GHCR.io')).toMatchObject({ __typename: 'RegistryCredential', host: 'ghcr.io' })
    expect(await list()).toEqual([])
    expect(await remove('ghcr.io')).toMatchObject({ code: 'NOT_FOUND' })
    expect(await remove('no registry')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it.each([
    [{ host: 'no registry' }, 'host'],
    [{ host: 'ghcr.io', username: '' }, 'username'],
    [{ host: 'ghcr.io', password: '' }, 'password'],
    [{ host: 'ghcr.io', password: 'x'.repeat(20_000) }, 'password'],
  ])('is refused when it can not be one', async (input, path) => {
    const refused = await set(input)
    expect(refused).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path }] })
    expect(JSON.stringify(refused)).not.toContain('xxx')
    expect(await list()).toEqual([])
  })
})

describe('a start', () => {
  it('takes the login of its image to the host alone, and leaves it readable nowhere', async () => {
    await set({ host: '127.0.0.1:5000' })
    const { id, serverId } = await deploy('127.0.0.1:5000/game:1')
    await world.start({ serverGameConfigId: id })
    const [command] = await startsOf(serverId)
    expect(command?.registryAuth?.registry).toBe('127.0.0.1:5000')
    expect(loginIn(command?.registryAuth)).toEqual({ username: 'player', password })
    expect(await tablesWith(stage.db, formsOf(password))).toEqual([])
    expect(await tablesWith(stage.db, ['player'])).toEqual(['configs.registry_credentials'])
  })

  it('of an image of another registry has none', async () => {
    await set({ host: 'ghcr.io' })
    const { id, serverId } = await deploy('registry.example/game:1')
    await world.start({ serverGameConfigId: id })
    expect((await startsOf(serverId))[0]?.registryAuth).toBeNull()
  })

  it('that waited for the end of another session has it as well', async () => {
    await set({ host: 'docker.io' })
    const { id, serverId } = await deploy('me/game:1')
    const old = await world.start({ serverGameConfigId: id })
    const restart = `mutation ($input: RestartSessionInput!) { restartSession(input: $input) { ... on Session { id } } }`
    const { restartSession } = await stage.run('sessions', restart, { input: { sessionId: old.id } })
    await world.endSession(old.id)
    await inTransaction(stage.db, (tx) => finishSession(tx, { id: old.id, serverGameConfigId: id, serverId }, new Date()))
    const begun = (await startsOf(serverId)).find(({ sessionId }) => sessionId === restartSession.id)
    expect(loginIn(begun?.registryAuth)).toEqual({ username: 'player', password })
  })

  it('is refused, and leaves nothing, while the login can not be given to the host', async () => {
    await set({ host: 'docker.io' })
    const keyless = await deploy('me/game:1', 'no key')
    const before = await stage.countRows()
    expect(await world.start({ serverGameConfigId: keyless.id })).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/login for docker.io can not be given to server \d+: .* not an X25519 public key/),
    })
    await stage.db.updateTable('configs.registry_credentials').set({ key_id: 'another' }).execute()
    const { id } = await deploy('me/game:1')
    expect(await world.start({ serverGameConfigId: id })).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('encrypted with the key another'),
    })
    expect(await stage.countRows()).toMatchObject({ 'sessions.sessions': before['sessions.sessions'] })
  })
})
