import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandSchema } from '../../../lib/messages/commands.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
let world: ReturnType<typeof makeWorld>

beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

const nowhere = '01990000-0000-7000-8000-000000000000'

const kindsOf = async (serverId: string): Promise<string[]> => {
  const lane = stage.db.selectFrom('outbox.messages').select('body').where('lane', '=', `host.${serverId}`).orderBy('position')
  return (await lane.execute()).map(({ body }) => commandSchema.parse(body).kind)
}
const fields = `__typename ... on Session { id status endReason restartOf { id } waitsFor { id } } ... on Error { code message }`
const change = async (mutation: string, input: object, type = 'StopSessionInput'): Promise<Answer> =>
  (await stage.run('sessions', `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${fields} } }`, { input }))[mutation]
const restart = (sessionId: string, idempotencyKey?: string) =>
  change('restartSession', { sessionId, idempotencyKey }, 'RestartSessionInput')
const sessionOf = async (id: string): Promise<Answer> =>
  (await stage.run('sessions', `query ($id: ID!) { session(id: $id) { ${fields.replace(/ \.\.\. on Error.*$/, '')} } }`, { id }))
    .session

describe('restarting', () => {
  it('makes a session that waits for the end of the old one, and asks for that', async () => {
    const { id, serverId, deploymentId } = await world.session({ status: 'RUNNING' })
    const next = await restart(id)
    expect(next).toMatchObject({ __typename: 'Session', status: 'PENDING', restartOf: { id }, waitsFor: { id } })
    expect(await sessionOf(id)).toMatchObject({ status: 'STOPPING' })
    expect(await kindsOf(serverId)).toEqual(['session.start', 'session.stop'])
    const representations = [{ __typename: 'ServerGameConfig', id: deploymentId }]
    const entities = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on ServerGameConfig { activeSession { id } } } }`
    const { _entities } = await stage.run('sessions', entities, { representations })
    expect(_entities).toEqual([{ activeSession: { id } }])
  })

  it('begins at once when the old one has ended', async () => {
    const { id, serverId } = await world.session()
    await world.endSession(id)
    expect(await restart(id)).toMatchObject({ status: 'PENDING', restartOf: { id }, waitsFor: null })
    expect(await kindsOf(serverId)).toEqual(['session.start', 'session.start'])
  })

  it('of a LOST one waits for the truth', async () => {
    const { id, serverId } = await world.session({ status: 'LOST' })
    expect(await restart(id)).toMatchObject({ status: 'PENDING', waitsFor: { id } })
    expect(await sessionOf(id)).toMatchObject({ status: 'LOST' })
    expect(await kindsOf(serverId)).toEqual(['session.start', 'session.stop'])
  })

  it('twice is a CONFLICT, and so is restarting what waits', async () => {
    const { id } = await world.session({ status: 'RUNNING' })
    const all: Answer[] = await Promise.all(Array.from({ length: 8 }, () => restart(id)))
    const won = all.filter((one) => one.__typename === 'Session')
    expect(won).toHaveLength(1)
    expect(all.filter((one) => one.code === 'CONFLICT')).toHaveLength(7)
    expect(await restart(won[0].id)).toMatchObject({ code: 'CONFLICT' })
  })

  it('answers the same session for the same key, also of 8 at once', async () => {
    const { id, serverId } = await world.session({ status: 'RUNNING' })
    const all: Answer[] = await Promise.all(Array.from({ length: 8 }, () => restart(id, 'once')))
    expect(new Set(all.map((one) => one.id)).size).toBe(1)
    expect(await kindsOf(serverId)).toEqual(['session.start', 'session.stop'])
  })

  it('of an ended session answers the same for the same key, and CONFLICT without one while another is live', async () => {
    const { id, serverId } = await world.session()
    await world.endSession(id)
    const all: Answer[] = await Promise.all(Array.from({ length: 8 }, () => restart(id, 'again')))
    expect(new Set(all.map((one) => one.id)).size).toBe(1)
    expect(await kindsOf(serverId)).toEqual(['session.start', 'session.start'])
    expect(await restart(id)).toMatchObject({ code: 'CONFLICT' })
  })

  it.each([
    ['stopSession', 'STOPPING'],
    ['killSession', 'STOPPING'],
  ])('is cancelled by %s of the old one', async (mutation, status) => {
    const { id } = await world.session({ status: 'RUNNING' })
    const next = await restart(id)
    expect(await change(mutation, { sessionId: id })).toMatchObject({ status })
    expect(await sessionOf(next.id)).toMatchObject({ status: 'STOPPED', endReason: 'CANCELLED' })
    expect(await restart(id)).toMatchObject({ status: 'PENDING' })
  })

  it('is cancelled by a stop of the session that waits; the old one still ends', async () => {
    const { id, serverId } = await world.session({ status: 'RUNNING' })
    const next = await restart(id)
    expect(await change('stopSession', { sessionId: next.id })).toMatchObject({ status: 'STOPPED', endReason: 'CANCELLED' })
    expect(await sessionOf(id)).toMatchObject({ status: 'STOPPING' })
    expect(await kindsOf(serverId)).toEqual(['session.start', 'session.stop'])
  })

  it.each([
    ['OFFLINE', { status: 'OFFLINE' }],
    ['draining', { draining: true }],
  ])('is Unavailable while the host is %s, and the old one is left alone', async (_, set) => {
    const { id, serverId } = await world.session({ status: 'RUNNING' })
    await world.setServer(serverId, set)
    expect(await restart(id)).toMatchObject({ code: 'UNAVAILABLE' })
    expect(await sessionOf(id)).toMatchObject({ status: 'RUNNING' })
  })

  it.each([nowhere, 'x'])('of an unknown session is NOT_FOUND', async (id) => {
    expect(await restart(id)).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('abandoning', () => {
  const abandon = (sessionId: string) => change('abandonSession', { sessionId })

  it('ends a session whose host is gone, frees its deployment and leaves a kill for the host', async () => {
    const { id, serverId, deploymentId } = await world.session({ status: 'LOST' })
    const waiting = await restart(id)
    await world.setServer(serverId, { status: 'OFFLINE' })
    expect(await abandon(id)).toMatchObject({ status: 'STOPPED', endReason: 'ABANDONED' })
    expect(await sessionOf(waiting.id)).toMatchObject({ status: 'STOPPED', endReason: 'CANCELLED' })
    expect(await kindsOf(serverId)).toEqual(['session.start', 'session.stop', 'session.kill'])
    await world.setServer(serverId, { status: 'ONLINE' })
    expect(await world.start({ serverGameConfigId: deploymentId })).toMatchObject({ status: 'PENDING' })
  })

  it('is a CONFLICT while the host is there', async () => {
    const { id } = await world.session({ status: 'RUNNING' })
    expect(await abandon(id)).toMatchObject({ code: 'CONFLICT' })
    expect(await sessionOf(id)).toMatchObject({ status: 'RUNNING' })
  })

  it('of what has ended changes nothing', async () => {
    const { id, serverId } = await world.session()
    await world.endSession(id)
    await world.setServer(serverId, { status: 'OFFLINE' })
    const before = await stage.countRows()
    expect(await abandon(id)).toMatchObject({ status: 'STOPPED', endReason: 'REQUESTED' })
    expect(await stage.countRows()).toEqual(before)
  })
})

describe('draining', () => {
  const drain = async (mutation: 'drainServer' | 'undrainServer', id: string): Promise<Answer> => {
    const text = `mutation ($id: ID!) { ${mutation}(id: $id) { __typename ... on Server { id draining } ... on Error { code } } }`
    return (await stage.run('servers', text, { id }))[mutation]
  }

  it('refuses new sessions until it is taken back; already so is success', async () => {
    const { id: deploymentId, serverId } = await world.deployment()
    expect(await drain('drainServer', serverId)).toMatchObject({ id: serverId, draining: true })
    const before = await stage.countRows()
    expect(await drain('drainServer', serverId)).toMatchObject({ draining: true })
    expect(await stage.countRows()).toEqual(before)
    expect(await world.start({ serverGameConfigId: deploymentId })).toMatchObject({ code: 'UNAVAILABLE' })
    expect(await drain('undrainServer', serverId)).toMatchObject({ draining: false })
    expect(await world.start({ serverGameConfigId: deploymentId })).toMatchObject({ status: 'PENDING' })
  })

  it.each([nowhere, 'x'])('of an unknown server is NOT_FOUND', async (id) => {
    expect(await drain('drainServer', id)).toMatchObject({ code: 'NOT_FOUND' })
  })
})
