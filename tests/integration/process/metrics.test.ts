import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startControlPlane } from '../../../cli/control-plane.ts'
import { pickPorts } from '../../../cli/services/state-file.ts'
import { startGateway } from '../../../gateway/app.ts'
import { startHost } from '../../../host/app.ts'
import { startProcessor } from '../../../processor/app.ts'
import { startSubgraph } from '../../../subgraphs/app.ts'
import { createTestBroker, type TestBroker } from '../../support/broker.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'

const adminToken = 'admin-token-of-this-test'
const metricsToken = 'metrics-token-of-this-test'

let database: TestDatabase
let broker: TestBroker
let dataDir: string
/** Addresses of running programs, by what docs/metrics.md calls them. */
const addresses: Record<string, string> = {}
const closing: (() => Promise<void>)[] = []

const ask = (address: string, path: string, token?: string, body?: object): Promise<Response> =>
  fetch(new URL(path, address), {
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  })

const enrollmentToken = async (door: string): Promise<string> => {
  const query =
    'mutation { registerServer(input: { name: "here" }) { ... on RegisterServerPayload { enrollmentToken } ... on Error { message } } }'
  const { data } = (await (await ask(door, '/graphql', adminToken, { query })).json()) as {
    data: { registerServer: { enrollmentToken: string } }
  }
  return data.registerServer.enrollmentToken
}

beforeAll(async () => {
  ;[database, broker, dataDir] = await Promise.all([
    createTestDatabase(),
    createTestBroker(),
    mkdtemp(join(tmpdir(), 'manman-metrics-')),
  ])
  const env = {
    DATABASE_URL: database.url,
    AMQP_URL: broker.url,
    PORT: '0',
    LOG_LEVEL: 'fatal',
    MANMAN_INTERNAL_KEY: 'k'.repeat(32),
    MANMAN_ADMIN_TOKEN: adminToken,
    MANMAN_METRICS_TOKEN: metricsToken,
  }
  const started = <Running extends { close(): Promise<void> }>(name: string, running: Running, address: string): void => {
    addresses[name] = address
    closing.unshift(() => running.close())
  }
  const plane = await startControlPlane({ env })
  started('control plane', plane, plane.address)
  const subgraph = await startSubgraph({ env: { ...env, SUBGRAPH: 'sessions' } })
  started('subgraph', subgraph, subgraph.address)
  const processor = await startProcessor({ env })
  started('processor', processor, `http://127.0.0.1:${processor.port}`)
  const gateway = await startGateway({ env: { ...env, SUBGRAPHS: `sessions=${subgraph.address}` } })
  started('gateway', gateway, gateway.address)
  const [port] = await pickPorts(1)
  const joining = { MANMAN_JOIN_URL: plane.address, MANMAN_JOIN_TOKEN: await enrollmentToken(plane.address) }
  const host = await startHost({
    env: {
      ...joining,
      MANMAN_DATA_DIR: dataDir,
      HEALTH_PORT: String(port),
      LOG_LEVEL: 'fatal',
      MANMAN_NETWORK_POOL: '10.215.0.0/16',
    },
  })
  started('host', host, `http://127.0.0.1:${port}`)
})
afterAll(async () => {
  for (const close of closing) await close()
  await Promise.all([database.drop(), broker.drop()])
  await rm(dataDir, { recursive: true, force: true })
})

interface Metric {
  type: string
  labels: string[]
}

/** Name → what docs/metrics.md says, for one program. */
const documented = async (programs: string[]): Promise<Record<string, Metric>> => {
  const text = await readFile(resolve(import.meta.dirname, '../../../docs/metrics.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `(manman_\w+)` \| (\w+) \| ([^|]*)\| ([^|]*) \|/gm)]
  expect(new Set(rows.map(([, name]) => name)).size).toBe(rows.length)
  return Object.fromEntries(
    rows
      .filter(([, , , , of]) => of!.split(', ').some((program) => programs.includes(program)))
      .map(([, name, type, labels]) => [
        name,
        { type: type!, labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!) },
      ]),
  )
}

/** Name → type and the labels of what is there now, as a program serves it. */
const served = async (program: string): Promise<Record<string, Metric>> => {
  const response = await ask(addresses[program]!, '/metrics', metricsToken)
  expect(response.headers.get('content-type')).toContain('text/plain')
  const text = await response.text()
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].filter(([, name]) => !/^(process|nodejs)_/.test(name!))
  return Object.fromEntries(
    types.map(([, name, type]) => {
      const samples = [...text.matchAll(new RegExp(`^${name}(?:_bucket)?\\{([^}]*)\\}`, 'gm'))]
      const labels = samples.flatMap(([, pairs]) => [...pairs!.matchAll(/(\w+)="/g)].map(([, label]) => label!))
      return [name, { type: type!, labels: [...new Set(labels)].filter((label) => label !== 'le') }]
    }),
  )
}

const typesOf = (metrics: Record<string, Metric>): Record<string, string> =>
  Object.fromEntries(Object.entries(metrics).map(([name, { type }]) => [name, type]))

describe('/metrics', () => {
  it.each([
    ['gateway', ['gateway']],
    ['subgraph', ['subgraph']],
    ['processor', ['processor']],
    ['host', ['host']],
    ['control plane', ['gateway', 'subgraph', 'processor']],
  ])('of a %s has exactly the names that are documented', async (program, parts) => {
    const [is, said] = [await served(program), await documented(parts)]
    expect(typesOf(is)).toEqual(typesOf(said))
    for (const [name, { labels }] of Object.entries(is)) expect(said[name]?.labels, name).toEqual(expect.arrayContaining(labels))
  })

  it('is what the alert rules ask for', async () => {
    const rules = await readFile(resolve(import.meta.dirname, '../../../deploy/prometheus/alerts.yml'), 'utf8')
    const names = [...rules.matchAll(/manman_\w+/g)].map(([name]) => name)
    expect(names.length).toBeGreaterThan(0)
    expect(Object.keys(await documented(['gateway', 'subgraph', 'processor', 'host']))).toEqual(expect.arrayContaining(names))
  })

  it('has the usual figures of its process, and says what goes on', async () => {
    const text = async (): Promise<string> => (await ask(addresses['control plane']!, '/metrics', metricsToken)).text()
    expect(await text()).toMatch(/^process_resident_memory_bytes \d+$/m)
    await eventually(async () => (await text()).includes('manman_servers{status="ONLINE"} 1'), { what: 'the Server is ONLINE' })
    expect(await text()).toContain('manman_graphql_operations_total{operation="registerServer",outcome="ok"} 1')
    expect(await text()).toMatch(/^manman_heartbeat_age_seconds\{server_id="[^"]+",server="here"\} \d/m)
    expect(await text()).toContain('manman_queue_messages{queue="processor.health"}')
  })

  it('of the open door are for those with a token, and its own token opens nothing else', async () => {
    for (const program of ['gateway', 'control plane']) {
      const door = addresses[program]!
      expect((await ask(door, '/metrics')).status).toBe(401)
      expect((await ask(door, '/metrics', 'another-token-altogether')).status).toBe(401)
      expect((await ask(door, '/metrics', adminToken)).status).toBe(200)
      expect((await ask(door, '/graphql', metricsToken, { query: '{ __typename }' })).status).toBe(401)
    }
  })
})
