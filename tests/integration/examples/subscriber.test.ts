import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeMessage } from '../../../lib/messages/envelope.ts'
import type { EventKind } from '../../../lib/messages/events.ts'
import { exchanges } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { declareTopology } from '../../../lib/rabbit/topology.ts'
import { exampleOf } from '../../support/event-reference.ts'
import { eventually } from '../../support/eventually.ts'
import { openRabbitStage, type RabbitStage } from '../rabbit/stage.ts'

const dir = mkdtempSync(join(tmpdir(), 'manman-subscriber-'))
const auditFile = join(dir, 'audit.jsonl')

let stage: RabbitStage
let webhook: Server
const posted: string[] = []
/** Answers of the webhook to come; then it takes everything. */
const answers = [500, 503]
let running: { child: ChildProcess; output: () => string } | undefined

beforeAll(async () => {
  stage = await openRabbitStage()
  await declareTopology(stage.direct(), 'classic')
  webhook = createServer(async (request, response) => {
    const status = answers.shift() ?? 200
    const body = Buffer.concat(await request.toArray()).toString()
    if (status === 200) posted.push(JSON.parse(body).text)
    response.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  await once(webhook, 'listening')
})
afterAll(async () => {
  await kill('SIGKILL')
  webhook.close()
  await stage.close()
  rmSync(dir, { recursive: true })
})

const start = async (): Promise<void> => {
  const env = {
    PATH: process.env.PATH,
    AMQP_URL: stage.proxy.url,
    KEYS: 'session.*',
    AUDIT_FILE: auditFile,
    METRICS_PORT: '0',
    WEBHOOK_URL: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/hook`,
  }
  const main = join(import.meta.dirname, '../../../examples/subscriber/main.mjs')
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  running = { child, output: () => output }
  await eventually(() => output.includes('listening for session.*'), { what: `the subscriber listens: ${output}` })
}
const kill = async (signal: NodeJS.Signals): Promise<number | null> => {
  const child = running?.child
  if (!child || child.exitCode !== null || child.signalCode !== null) return null
  child.kill(signal)
  const [code] = await once(child, 'exit')
  return code
}

const publish = async (kind: EventKind, id: string = newId()): Promise<string> => {
  const content = writeMessage({ ...exampleOf(kind), id })
  stage.direct().publish(exchanges.events, kind, content, { persistent: true })
  await stage.direct().waitForConfirms()
  return id
}
const audited = (): string[] =>
  readFileSync(auditFile, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).id)
const isAudited = (id: string) => eventually(() => audited().includes(id), { what: 'it stands in the audit file' })
const unread = async (): Promise<number> => (await stage.direct().checkQueue('events.example')).messageCount

describe('the example of a subscriber', () => {
  it('prints an event, posts it though the webhook fails at first, counts it, and keeps it', async () => {
    await start()
    await publish('server.online') // not bound
    const id = await publish('session.crashed')
    await isAudited(id)
    const text = 'session.crashed: survival (Minecraft) on rack-3 crashed: The game ended by itself with exit code 1.'
    expect(posted).toEqual([text])
    expect(running!.output()).toContain(`Z ${text}\n`)
    expect(running!.output()).toContain('attempt 2: the webhook answered 503')
    const port = /metrics on port (\d+)/.exec(running!.output())![1]
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`).then((response) => response.text())
    expect(metrics).toContain('# TYPE manman_events_total counter\nmanman_events_total{kind="session.crashed"} 1\n')
    expect(metrics).toContain('manman_webhook_posts_total{outcome="sent"} 1\n')
    expect(metrics).toContain('manman_subscriber_connected 1\n')
  })

  it('passes over what it has had already', async () => {
    const [again] = audited()
    await publish('session.crashed', again)
    await isAudited(await publish('session.ready'))
    expect(audited().filter((id) => id === again)).toHaveLength(1)
  })

  it('goes on when the broker is back', async () => {
    stage.proxy.cut()
    await eventually(() => running!.output().includes('broker: '), { what: 'the loss is noticed' })
    const id = await publish('session.lost')
    stage.proxy.restore()
    await isAudited(id)
  })

  it('misses nothing while it is dead, and repairs its file', async () => {
    await kill('SIGKILL')
    const before = audited()
    const missed = [await publish('session.running'), await publish('session.stopped')]
    appendFileSync(auditFile, '{"version":1,"id":"half')
    await start()
    await isAudited(missed[1]!)
    expect(audited()).toEqual([...before, ...missed])
    await eventually(async () => (await unread()) === 0, { what: 'all is acknowledged' })
    expect(await kill('SIGTERM')).toBe(0)
  })
})
