import { type Client, createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { identityHeader, makeIdentitySigner } from '../../../lib/process/identity.ts'
import type { Running } from '../../../lib/process/run.ts'
import { startSubgraph } from '../../../subgraphs/app.ts'
import { eventually } from '../../support/eventually.ts'
import { makeScriptedHost, type ScriptedHost } from './scripted-host.ts'
import { openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

const key = 'z'.repeat(40)

let stage: Stage
let session: { id: string; serverId: string; deploymentId: string }
let host: ScriptedHost
let running: Running & { address: string }
let client: Client

/** The sessions subgraph as a process of its own has it: its own pool, broker connection and door. */
beforeAll(async () => {
  stage = await openStage()
  session = await makeWorld(stage).session({ status: 'RUNNING' })
  host = makeScriptedHost(stage, session.serverId, session.id)
  await host.start()
  running = await startSubgraph({
    env: {
      SUBGRAPH: 'sessions',
      DATABASE_URL: stage.databaseUrl,
      AMQP_URL: stage.broker.url,
      MANMAN_INTERNAL_KEY: key,
      PORT: '0',
      LOG_LEVEL: 'fatal',
    },
  })
  client = createClient({
    url: running.address.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ identity: await identity() }),
    retryAttempts: 0,
  })
})
afterAll(async () => {
  await client.dispose()
  await running.close()
  await host.stop()
  await stage.close()
})

const identity = () => makeIdentitySigner({ key })({ sub: 'tester', kind: 'admin', scopes: [] })

const post = async (query: string, variables: object, headers: Record<string, string> = {}) => {
  const body = JSON.stringify({ query, variables })
  const response = await fetch(running.address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  return response.json()
}

const follow = (query: string, variables: Record<string, unknown>) => client.iterate({ query, variables })

const logsText = 'subscription ($id: ID!, $after: String) { sessionLogs(sessionId: $id, after: $after) { text end cursor } }'

describe('a subgraph in a process of its own', () => {
  it('says that it lives and what it reaches', async () => {
    const at = (path: string) => fetch(new URL(path, running.address))
    expect((await at('/healthz')).status).toBe(200)
    const ready = await eventually(
      async () => {
        const response = await at('/readyz')
        return response.status === 200 && response.json()
      },
      { what: 'it is ready' },
    )
    expect(ready).toMatchObject({ checks: { postgresql: 'ok', rabbitmq: 'ok' } })
  })

  it('answers those who are signed, and no others', async () => {
    const query = 'query ($id: ID!) { session(id: $id) { status spec } }'
    const answer = await post(query, { id: session.id }, { [identityHeader]: await identity() })
    expect(answer).toMatchObject({ data: { session: { status: 'RUNNING', spec: { image: 'game:1' } } } })
    expect(await post(query, { id: session.id })).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
  })

  it('tells logs and changes over WebSocket', async () => {
    await host.write(2)
    const logs = follow(logsText, { id: session.id })
    expect((await logs.next()).value).toMatchObject({
      data: { sessionLogs: { text: 'line 1\nline 2', end: false, cursor: '2' } },
    })
    await host.write(1)
    expect((await logs.next()).value).toMatchObject({ data: { sessionLogs: { text: 'line 3' } } })
    await logs.return?.()
    const changes = follow('subscription ($id: ID!) { sessionChanged(sessionId: $id) { status } }', { id: session.id })
    expect((await changes.next()).value).toEqual({ data: { sessionChanged: { status: 'RUNNING' } } })
    await changes.return?.()
  })

  it.each([
    [logsText, { id: 'x' }, 'NOT_FOUND'],
    [logsText, { after: '?' }, 'INVALID_INPUT'],
    ['subscription { sessionChanged { status } }', {}, 'INVALID_INPUT'],
  ])('refuses a subscription with a code: %s %j', async (text, variables, code) => {
    const codes = await codesOf(follow(text, { id: session.id, ...variables }))
    expect(codes).toEqual([code])
  })

  it('lets go of what its readers leave', async () => {
    const logs = follow(logsText, { id: session.id })
    await logs.next()
    const bindings = async () => {
      const all = (await stage.broker.api('GET', '/api/exchanges/{vhost}/manman.reports/bindings/source')) as {
        routing_key: string
      }[]
      return all.filter(({ routing_key }) => routing_key.startsWith('log.session.')).length
    }
    await eventually(async () => (await bindings()) === 1, { what: 'a queue is bound' })
    await logs.return?.()
    await eventually(async () => (await bindings()) === 0, { what: 'the queue is gone' })
  })

  it('ends its subscriptions with UPSTREAM_LOST when it stops', async () => {
    const logs = follow(logsText, { id: session.id })
    await logs.next()
    const ending = codesOf(logs)
    await running.close()
    expect(await ending).toEqual(['UPSTREAM_LOST'])
  })
})

/** Codes of the errors that a subscription ends with, wherever they come: as an event's, or as the error message. */
const codesOf = async (events: AsyncIterableIterator<unknown>): Promise<unknown[]> => {
  const codes: unknown[] = []
  const note = (errors: readonly { extensions?: { code?: unknown } }[] | undefined): void => {
    for (const error of errors ?? []) codes.push(error.extensions?.code)
  }
  try {
    for await (const event of events) note((event as { errors?: [] }).errors)
  } catch (error) {
    if (!Array.isArray(error)) throw error
    note(error)
  }
  return codes
}
