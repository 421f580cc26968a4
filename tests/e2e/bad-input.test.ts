import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identityHeader, makeIdentitySigner } from '../../lib/process/identity.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeGraphqlClient } from '../support/graphql-client.ts'
import { ok } from '../support/ok.ts'
import * as operations from '../support/operations.ts'
import { deploy } from '../support/play.ts'
import { countRows } from '../support/row-counts.ts'
import { openRawSocket } from '../support/subgraphs/raw-socket.ts'
import { useStack } from '../support/use-stack.ts'

const megabyte = 'x'.repeat(1024 * 1024)
const strangers = { 'an id that names nothing': newId(), 'no id at all': 'robert"); drop table' }

describe('bad input gets a typed, clear answer', () => {
  const { stack } = useStack({ topology: 'many', host: 'none' })
  let known: { gameId: string; gameConfigId: string; serverId: string }
  let before: Record<string, number>
  beforeAll(async () => {
    const { gameId, gameConfigId } = await deploy(stack(), { image: 'busybox' })
    known = { gameId, gameConfigId, serverId: stack().serverId }
    before = await countRows(stack().databaseUrl)
  })
  afterAll(async () => {
    expect(await countRows(stack().databaseUrl), 'rows after all that').toEqual(before)
  })

  describe.each(Object.entries(strangers))('%s', (_, id) => {
    it.each([
      [
        'createGameConfig',
        () => stack().client.run(operations.createGameConfig, { input: { gameId: id, name: 'n', image: 'i' } }),
      ],
      [
        'deployGameConfig with that server',
        () =>
          stack().client.run(operations.deployGameConfig, {
            input: { serverId: id, gameConfigId: known.gameConfigId, name: 'n' },
          }),
      ],
      [
        'deployGameConfig with that config',
        () =>
          stack().client.run(operations.deployGameConfig, { input: { serverId: known.serverId, gameConfigId: id, name: 'n' } }),
      ],
      ['startSession', () => stack().client.run(operations.startSession, { input: { serverGameConfigId: id } })],
      ['stopSession', () => stack().client.run(operations.stopSession, { input: { sessionId: id } })],
      ['killSession', () => stack().client.run(operations.killSession, { input: { sessionId: id } })],
      ['sendInput', () => stack().client.run(operations.sendInput, { input: { sessionId: id, input: 'say hi' } })],
    ])('is not found by %s', async (_name, mutate) => {
      const [result] = Object.values(await mutate())
      expect(result).toMatchObject({ __typename: 'NotFoundError', code: 'NOT_FOUND', message: expect.stringContaining(id) })
    })

    it('is null in queries', async () => {
      expect(await stack().client.run(operations.sessionById, { id })).toEqual({ session: null })
      expect(await stack().client.run(operations.serverById, { id })).toEqual({ server: null })
    })

    it.each([
      ['sessionLogs', () => firstOf<unknown>(stack().client.subscribe(operations.sessionLogs, { sessionId: id }))],
      ['sessionChanged', () => firstOf<unknown>(stack().client.subscribe(operations.sessionChanged, { sessionId: id }))],
    ])('is not found by %s', async (_name, subscribe) => {
      await expect(subscribe()).rejects.toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
    })
  })

  describe.each([
    ['empty', ''],
    ['blank', '  '],
    ['of 1 MB', megabyte],
  ])('a name that is %s', (_, name) => {
    it.each([
      ['registerServer', () => stack().client.run(operations.registerServer, { input: { name } })],
      ['createGame', () => stack().client.run(operations.createGame, { input: { name } })],
      [
        'createGameConfig',
        () => stack().client.run(operations.createGameConfig, { input: { gameId: known.gameId, name, image: 'i' } }),
      ],
      [
        'deployGameConfig',
        () =>
          stack().client.run(operations.deployGameConfig, {
            input: { serverId: known.serverId, gameConfigId: known.gameConfigId, name },
          }),
      ],
    ])('is refused by %s', async (_name, mutate) => {
      const [result] = Object.values(await mutate())
      expect(result).toMatchObject({ __typename: 'InvalidInputError', code: 'INVALID_INPUT', issues: [{ path: 'name' }] })
      expect(JSON.stringify(result).length).toBeLessThan(1_000)
    })
  })

  it('tells every fault of a config at once', async () => {
    const { createGameConfig } = await stack().client.run(operations.createGameConfig, {
      input: {
        gameId: known.gameId,
        name: '',
        image: 'Not An Image',
        argsTemplate: '--port {{port.gmae}}',
        ports: [{ name: 'game', containerPort: 70_000, protocol: 'TCP' }],
        stop: { kind: 'SIGNAL', value: 'SIGNOTHING' },
      },
    })
    const { issues } = ok(createGameConfig, 'InvalidInputError')
    expect(issues.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['name', 'image', 'argsTemplate', 'ports.0.containerPort', 'stop.value']),
    )
  })

  it.each(['a\nb', 'a\rb'])('sendInput takes one line, not %j', async (input) => {
    const { sendInput } = await stack().client.run(operations.sendInput, { input: { sessionId: newId(), input } })
    expect(sendInput).toMatchObject({
      __typename: 'InvalidInputError',
      issues: [{ path: 'input', message: expect.stringContaining('one line') }],
    })
  })

  describe('whoever has no right to ask', () => {
    const createGame = { input: { name: 'by nobody' } }

    it.each([
      ['no token', null, { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }],
      ['a wrong token', 'not-the-token-0123456789', { code: 4403 }],
    ])('with %s is refused over HTTP and WebSocket', async (_, token, overWebSocket) => {
      const nobody = makeGraphqlClient({ url: `${stack().address}/graphql`, token })
      const answer = await nobody.request(operations.createGame, createGame)
      expect(answer).toMatchObject({ status: 401, data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
      expect(await firstOf<unknown>(nobody.results(operations.createGame, createGame)).catch((closed) => closed)).toMatchObject(
        overWebSocket,
      )
      await nobody.close()
    })

    it('with an identity of his own making is refused by the subgraphs', async () => {
      const sign = makeIdentitySigner({ key: 'a-key-of-my-own-0123456789-0123456789' })
      const forged = await sign({ sub: 'admin', kind: 'admin', scopes: ['*'] })
      for (const url of Object.values(stack().subgraphs)) {
        const asked = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', [identityHeader]: forged },
          body: JSON.stringify({ query: '{ _service { sdl } }' }),
        })
        expect(await asked.json()).toMatchObject({ data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
        expect(asked.status).toBe(401)
        const socket = await openRawSocket(url)
        socket.init({ identity: forged })
        await expect.poll(() => socket.closed()).toBeDefined()
        expect(socket.received.map(({ type }) => type)).not.toContain('connection_ack')
      }
    })
  })

  describe('a document that can not be run', () => {
    const deep = (levels: number): string =>
      `{ servers(first: 1) { edges { node { ${'deployments { edges { node { server { '.repeat(levels)} id ${'} } } }'.repeat(levels)} } } } }`

    it.each([
      ['that can not be parsed', '{ servers(', 'INVALID_INPUT'],
      ['with a field that is not there', '{ servers { edges { node { secret } } } }', 'INVALID_INPUT'],
      ['without an argument it needs', '{ session { id } }', 'INVALID_INPUT'],
      ['that is too deep', deep(10), 'LIMIT_EXCEEDED'],
    ])('%s is refused over HTTP and WebSocket, and the socket lives', async (_, query, code) => {
      const { status, data, errors } = await stack().client.request(query)
      expect({ status, data, code: errors[0]?.extensions.code }).toEqual({ status: 400, data: null, code })
      expect(await firstOf(stack().client.results(query))).toMatchObject({ data: null, errors: [{ extensions: { code } }] })
      expect(await firstOf(stack().client.results('{ servers { edges { node { name } } } }'))).toMatchObject({ errors: [] })
    })
  })
})

const firstOf = async <T>(events: AsyncIterable<T>): Promise<T | undefined> => {
  for await (const event of events) return event
  return undefined
}
