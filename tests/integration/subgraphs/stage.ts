import { type DocumentNode, parse } from 'graphql'
import { makeSecretBox } from '../../../lib/crypto/secret-box.ts'
import { connectDatabase, type Database } from '../../../lib/db/connect.ts'
import type { Rate } from '../../../lib/domain/buckets.ts'
import { type Identity, makeIdentitySigner, makeIdentityVerifier } from '../../../lib/process/identity.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { makePathSigner } from '../../../lib/process/signed-path.ts'
import { makeRabbit, type Rabbit } from '../../../lib/rabbit/connect.ts'
import type { ObjectStore } from '../../../lib/storage/store.ts'
import { makeSubgraphs } from '../../../subgraphs/app.ts'
import type { SubgraphName } from '../../../subgraphs/context.ts'
import { makeInProcessSubgraph } from '../../../subgraphs/in-process.ts'
import { createTestBroker, type TestBroker } from '../../support/broker.ts'
import { createTestDatabase } from '../../support/database.ts'
import { createTestStore } from '../../support/object-store.ts'
import { openTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'

export const logger = makeLogger({ name: 'test', level: process.env.LOG_LEVEL ?? 'fatal' })

// biome-ignore lint/suspicious/noExplicitAny: answers of queries written as text have the shape the test asked for
export type Answer = any

export interface Stage {
  db: Database
  databaseUrl: string
  broker: TestBroker
  /** Not through the proxy: for what stands on the other side. */
  rabbit: Rabbit
  /** Between the subgraphs and the broker. */
  proxy: TcpProxy
  /** Where the subgraphs keep objects. */
  store: ObjectStore
  /** The same as a directory. */
  objectsRoot: string
  /** How many SQL statements the subgraphs have run since the last call. */
  takeStatements: () => number
  /** Answers `data`; fails on errors. */
  run(subgraph: SubgraphName, query: string, variables?: Record<string, unknown>): Promise<Answer>
  /** Answers the first error's extensions and message; fails when there is none. As an ADMIN unless told. */
  fail(subgraph: SubgraphName, query: string, variables?: Record<string, unknown>, as?: Identity): Promise<Answer>
  subscribe(subgraph: SubgraphName, query: string, variables?: Record<string, unknown>, as?: Identity): Promise<Subscription>
  /** Rows by table, to see that nothing has changed. */
  countRows(): Promise<Record<string, number>>
  /** As when their process stops in order. */
  closeSubgraphs(): Promise<void>
  close(): Promise<void>
}

export interface Subscription {
  /** The next event's data; fails on an error result, and when nothing comes within `limitMs`. */
  next(limitMs?: number): Promise<Answer>
  /** The next event, which has to be an error: its code. */
  failure(): Promise<string>
  /** Fails unless the subscription has completed. */
  completed(): Promise<void>
  close(): Promise<void>
}

const key = 'k'.repeat(32)
const tester: Identity = { sub: 'tester', kind: 'admin', scopes: [] }

/** The four subgraphs over a fresh database and vhost, called as the gateway calls them. */
export const openStage = async (options: { startDeadlineMs?: number; inputRate?: Rate } = {}): Promise<Stage> => {
  const [database, broker] = await Promise.all([createTestDatabase(), createTestBroker()])
  const objects = createTestStore()
  const proxy = await openTcpProxy(broker.url)
  const pool = connectDatabase({ url: database.url, name: 'test', logger })
  const behind = await makeRabbit({ url: proxy.url, name: 'test', logger })
  const rabbit = await makeRabbit({ url: broker.url, name: 'test-direct', logger })
  let statements = 0
  const counted = pool.db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      statements++
      return result
    },
  })
  const { subgraphs, close } = makeSubgraphs({
    db: counted,
    rabbit: behind,
    logger,
    queueType: 'classic',
    defaultEnvironment: 'default',
    hostAccess: { amqpUrl: 'amqp://broker.example:5672/', username: 'host', password: 'secret' },
    startDeadlineMs: options.startDeadlineMs ?? 600_000,
    inputRate: options.inputRate,
    secrets: makeSecretBox([key]),
    store: objects.store,
    paths: makePathSigner({ key, purpose: 'download' }),
  })
  const verifyIdentity = makeIdentityVerifier({ key })
  const called = new Map(subgraphs.map((one) => [one.name, makeInProcessSubgraph({ subgraph: one, verifyIdentity, logger })]))
  const sign = makeIdentitySigner({ key })
  const request = async (query: string, variables?: Record<string, unknown>, as: Identity = tester) => ({
    document: parseOnce(query),
    variables,
    identity: await sign(as),
  })
  const execute = async (name: SubgraphName, query: string, variables?: Record<string, unknown>, as?: Identity) =>
    called.get(name)!.execute(await request(query, variables, as))

  return {
    db: pool.db,
    databaseUrl: database.url,
    broker,
    rabbit,
    proxy,
    store: objects.store,
    objectsRoot: objects.root,
    takeStatements: () => {
      const taken = statements
      statements = 0
      return taken
    },
    run: async (name, query, variables) => {
      const result = await execute(name, query, variables)
      if (result.errors) throw new Error(`${query} → ${JSON.stringify(result.errors)}`)
      return result.data
    },
    fail: async (name, query, variables, as) => {
      const [error] = (await execute(name, query, variables, as)).errors ?? []
      if (!error) throw new Error(`${query} did not fail`)
      return { message: error.message, ...error.extensions }
    },
    subscribe: async (name, query, variables, as) => {
      const result = await called.get(name)!.subscribe(await request(query, variables, as))
      if (!(Symbol.asyncIterator in result)) throw new Error(JSON.stringify(result.errors?.[0]?.extensions ?? result))
      return wrap(result as AsyncIterableIterator<Answer>)
    },
    countRows: () => countRows(pool.db),
    closeSubgraphs: close,
    close: async () => {
      await close()
      await Promise.all([behind.close(), rabbit.close()])
      await Promise.all([pool.close(), proxy.close()])
      await Promise.all([database.drop(), broker.drop()])
      objects.drop()
    },
  }
}

const documents = new Map<string, DocumentNode>()

/** The same object for the same text, as the subgraphs expect. */
const parseOnce = (query: string): DocumentNode => {
  const known = documents.get(query) ?? parse(query)
  documents.set(query, known)
  return known
}

const wrap = (source: AsyncIterableIterator<Answer>): Subscription => {
  const take = async (limitMs: number): Promise<IteratorResult<Answer>> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no event within ${limitMs} ms`)), limitMs)
    })
    return Promise.race([source.next(), late]).finally(() => clearTimeout(timer))
  }
  return {
    next: async (limitMs = 15_000) => {
      const { done, value } = await take(limitMs)
      if (done) throw new Error('the subscription has completed')
      if (value.errors) throw new Error(JSON.stringify(value.errors))
      return value.data
    },
    failure: async () => (await take(15_000)).value?.errors?.[0]?.extensions?.code,
    completed: async () => {
      const { done, value } = await take(15_000)
      if (!done) throw new Error(`one more event: ${JSON.stringify(value)}`)
    },
    close: async () => void (await source.return?.()),
  }
}

const tables = [
  'servers.servers',
  'servers.enrollment_tokens',
  'configs.games',
  'configs.game_configs',
  'configs.server_game_configs',
  'configs.server_ports',
  'configs.registry_credentials',
  'sessions.sessions',
  'operations.deployment_operations',
  'outbox.messages',
] as const

const countRows = async (db: Database): Promise<Record<string, number>> => {
  const counts: [string, number][] = []
  for (const table of tables) {
    const { count } = await db.selectFrom(table).select(db.fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
    counts.push([table, count])
  }
  return Object.fromEntries(counts)
}
