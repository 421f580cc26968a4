import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { inject } from 'vitest'
import { readHostUser } from '../../lib/messages/routing.ts'
import './provided.ts'

export interface TestBroker {
  /** AMQP URL of the vhost. */
  url: string
  /** RabbitMQ's HTTP API, with credentials. */
  managementUrl: string
  /** Calls RabbitMQ's HTTP API; `{vhost}` in the path stands for this vhost. Throws on any answer but 2xx. */
  api(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown>
  /** Removes the vhost with all in it. Fails when a connection is still open: whoever opened one closes it first. */
  drop(): Promise<void>
}

/** A fresh vhost of this test file's own: no other test's exchanges, queues or messages. */
export const createTestBroker = async (): Promise<TestBroker> => {
  const { amqpUrl, amqpManagementUrl } = inject('services')
  const vhost = `test-${randomBytes(6).toString('hex')}`
  const api: TestBroker['api'] = (method, path, body) => callApi(amqpManagementUrl, method, path.replace('{vhost}', vhost), body)
  await api('PUT', '/api/vhosts/{vhost}')
  const user = encodeURIComponent(new URL(amqpUrl).username)
  await api('PUT', `/api/permissions/{vhost}/${user}`, { configure: '.*', write: '.*', read: '.*' })
  const url = new URL(amqpUrl)
  url.pathname = `/${vhost}`
  return {
    url: url.toString(),
    managementUrl: amqpManagementUrl,
    api,
    drop: async () => {
      const open = await openConnections(api)
      const granted = (await api('GET', '/api/vhosts/{vhost}/permissions')) as { user: string }[]
      await api('DELETE', '/api/vhosts/{vhost}')
      // Of hosts, which had nothing but this.
      for (const { user: name } of granted) if (readHostUser(name)) await api('DELETE', `/api/users/${name}`)
      if (open > 0) throw new Error(`the test left ${open} broker connection(s) open`)
    },
  }
}

/** A closed connection stays listed for a moment. */
const openConnections = async (api: TestBroker['api']): Promise<number> => {
  const deadline = Date.now() + 3_000
  for (;;) {
    const listed = (await api('GET', '/api/vhosts/{vhost}/connections')) as unknown[]
    if (listed.length === 0 || Date.now() >= deadline) return listed.length
    await delay(100)
  }
}

const callApi = async (base: string, method: string, path: string, body?: unknown): Promise<unknown> => {
  const { username, password, origin } = new URL(base)
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`RabbitMQ's API answered ${response.status} to ${method} ${path}: ${text}`)
  return text ? JSON.parse(text) : undefined
}
