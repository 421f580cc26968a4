import { Unavailable } from '../domain/errors.ts'
import { hostPermissions } from './host-permissions.ts'

/** Users of hosts at the broker. All of it may be repeated; rejects with `Unavailable` when the broker does not do it. */
export interface BrokerUsers {
  /** Makes the user, or gives the one there is this password. */
  make(user: { name: string; passwordHash: string; serverId: string }): Promise<void>
  /** Takes the user away and closes its connections. Not there is success. */
  remove(name: string): Promise<void>
  /** All there are. */
  names(): Promise<ReadonlySet<string>>
}

const answerLimitMs = 5_000

/**
 * Users by RabbitMQ's management API (https://www.rabbitmq.com/docs/management#http-api). `url` has the credentials of an
 * administrator; `amqpUrl` names the vhost that hosts use.
 */
export const makeBrokerUsers = (options: { url: string; amqpUrl: string }): BrokerUsers => {
  const base = new URL(options.url)
  const login = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`
  const root = `${base.origin}${base.pathname.replace(/\/$/, '')}/api`
  const vhost = encodeURIComponent(decodeURIComponent(new URL(options.amqpUrl).pathname.slice(1)) || '/')

  const ask = async (method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object): Promise<Response> => {
    const response = await fetch(`${root}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(answerLimitMs),
    }).catch((error) => {
      const reason = (error.cause ?? error).message
      throw new Unavailable(`RabbitMQ's management API at ${base.host} can not be reached: ${reason}`, { cause: error })
    })
    if (response.ok || (method === 'DELETE' && response.status === 404)) return response
    const said = (await response.text().catch(() => '')).slice(0, 200)
    throw new Unavailable(`RabbitMQ's management API at ${base.host} answers ${response.status} to ${method} of ${path}: ${said}`)
  }
  const tell = async (method: 'PUT' | 'DELETE', path: string, body?: object): Promise<void> => {
    await (await ask(method, path, body)).arrayBuffer() // else its connection is not free again
  }

  return {
    make: async ({ name, passwordHash, serverId }) => {
      const user = encodeURIComponent(name)
      const { permissions, topic, limits } = hostPermissions(serverId)
      const hashing = 'rabbit_password_hashing_sha256'
      await tell('PUT', `/users/${user}`, { password_hash: passwordHash, hashing_algorithm: hashing, tags: '' })
      for (const [limit, value] of Object.entries(limits)) await tell('PUT', `/user-limits/${user}/${limit}`, { value })
      // Without any for topics every key is allowed, so that they come before the permissions that let it in.
      await tell('PUT', `/topic-permissions/${vhost}/${user}`, topic)
      await tell('PUT', `/permissions/${vhost}/${user}`, permissions)
    },
    remove: async (name) => {
      const user = encodeURIComponent(name)
      await tell('DELETE', `/users/${user}`)
      await tell('DELETE', `/connections/username/${user}`)
    },
    names: async () => {
      const users = (await (await ask('GET', '/users?columns=name')).json()) as { name: string }[]
      return new Set(users.map(({ name }) => name))
    },
  }
}
