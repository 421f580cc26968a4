import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Unavailable } from '../../../lib/domain/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { makeScriptedHost, type ScriptedHost } from './scripted-host.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
let world: ReturnType<typeof makeWorld>

/** Lines that one session takes here, as good as for ever. */
const burst = 20

const text = `mutation ($input: SendInputInput!) { sendInput(input: $input) {
  __typename ... on SendInputPayload { sessionId writtenAt }
  ... on Error { code message } ... on InvalidInputError { issues { path } } } }`
const send = async (input: object): Promise<Answer> => (await stage.run('sessions', text, { input })).sendInput

beforeAll(async () => {
  stage = await openStage({ inputRate: { perSecond: 0.001, burst } })
  world = makeWorld(stage)
  const isConnected = async () => {
    const { id: sessionId } = await world.session({ status: 'RUNNING' })
    return (await send({ sessionId, input: 'x' })).message !== 'RabbitMQ is not connected.'
  }
  await eventually(isConnected, { what: 'the subgraph is connected to the broker' })
})
afterAll(() => stage.close())

describe('sendInput to a host that listens', () => {
  let host: ScriptedHost
  let sessionId: string

  beforeEach(async () => {
    const session = await world.session({ status: 'RUNNING' })
    sessionId = session.id
    host = makeScriptedHost(stage, session.serverId, sessionId)
    await host.start()
  })
  afterEach(() => host.stop())

  it('answers when the host has written the line', async () => {
    const heard: object[] = []
    host.onInput(async ({ input, actor, idempotencyKey }) => {
      heard.push({ input, actor, idempotencyKey })
      return { writtenAt: '2026-01-31T12:00:00.000Z' }
    })
    expect(await send({ sessionId, input: 'say "hello" 🎮', idempotencyKey: 'k' })).toEqual({
      __typename: 'SendInputPayload',
      sessionId,
      writtenAt: '2026-01-31T12:00:00.000Z',
    })
    expect(heard).toEqual([{ input: 'say "hello" 🎮', actor: 'tester', idempotencyKey: 'k' }])
  })

  it('passes on why the host could not', async () => {
    host.onInput(async () => {
      throw new Unavailable('The console is closed.')
    })
    expect(await send({ sessionId, input: 'x' })).toMatchObject({
      __typename: 'UnavailableError',
      message: 'The console is closed.',
    })
  })

  it('is OutcomeUnknown after 5 s when no answer comes', async () => {
    let answer: (result: { writtenAt: string }) => void = () => undefined
    host.onInput(() => new Promise((resolve) => (answer = resolve)))
    const since = performance.now()
    expect(await send({ sessionId, input: 'x' })).toMatchObject({ __typename: 'OutcomeUnknownError', code: 'OUTCOME_UNKNOWN' })
    expect(performance.now() - since).toBeGreaterThan(4_900)
    expect(performance.now() - since).toBeLessThan(7_000)
    answer({ writtenAt: new Date().toISOString() }) // too late for anybody
  })

  it('is Unavailable at once when the host has left', async () => {
    await host.stop()
    const since = performance.now()
    expect(await send({ sessionId, input: 'x' })).toMatchObject({ __typename: 'UnavailableError', code: 'UNAVAILABLE' })
    expect(performance.now() - since).toBeLessThan(2_000)
  })

  it('is Unavailable at once while the broker is away', async () => {
    stage.proxy.cut()
    const answer = await eventually(
      async () => {
        const { __typename, message } = await send({ sessionId, input: 'x' })
        return __typename === 'UnavailableError' && { message }
      },
      { what: 'the connection is known to be lost' },
    )
    expect(answer.message).toContain('RabbitMQ')
    stage.proxy.restore()
    await eventually(async () => (await send({ sessionId, input: 'x' })).writtenAt, { what: 'input works again' })
  })

  it.each([
    ['a line break', 'a\nb'],
    ['a carriage return', 'a\r'],
    ['a NUL', 'a\0b'],
    ['more than 4 KiB', 'é'.repeat(2_049)],
    ['1 MB', 'x'.repeat(1_000_000)],
  ])('refuses %s, and the host hears nothing', async (_, input) => {
    let heard = 0
    host.onInput(async () => {
      heard++
      return { writtenAt: new Date().toISOString() }
    })
    expect(await send({ sessionId, input })).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'input' }] })
    expect(heard).toBe(0)
    expect(await send({ sessionId, input: 'é'.repeat(2_048) })).toMatchObject({ sessionId })
  })

  it.each(['PENDING', 'STARTING', 'LOST'])('refuses a session that is %s', async (status) => {
    const { id } = await world.session({ status })
    expect(await send({ sessionId: id, input: 'x' })).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(status),
    })
  })
})

describe('sendInput elsewhere', () => {
  it('is Unavailable at once for a host that never came', async () => {
    const { id } = await world.session({ status: 'RUNNING' })
    const since = performance.now()
    expect(await send({ sessionId: id, input: 'x' })).toMatchObject({ code: 'UNAVAILABLE' })
    expect(performance.now() - since).toBeLessThan(2_000)
  })

  it.each(['01990000-0000-7000-8000-000000000000', 'x'])('of an unknown session is NOT_FOUND', async (sessionId) => {
    expect(await send({ sessionId, input: 'x' })).toMatchObject({ code: 'NOT_FOUND' })
  })
})

it('takes so many lines for each session, and says when it takes the next', async () => {
  const { id: sessionId } = await world.session({ status: 'STARTING' })
  for (let line = 0; line < burst; line++) {
    expect(await send({ sessionId, input: 'x' })).toMatchObject({ __typename: 'UnavailableError' })
  }
  const refused = await stage.fail('sessions', text, { input: { sessionId, input: 'x' } })
  expect(refused).toMatchObject({
    code: 'LIMIT_EXCEEDED',
    message: expect.stringMatching(/at most 20 lines.* try again in \d+ s\.$/),
  })
  expect(refused.retryAfter).toBeGreaterThan(900)
  const { id: other } = await world.session({ status: 'STARTING' })
  expect(await send({ sessionId: other, input: 'x' })).toMatchObject({ __typename: 'UnavailableError' })
})
