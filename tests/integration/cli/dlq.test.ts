import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { run } from '../../../cli/program.ts'
import { addDeadLetter, listDeadLetters, pruneDeadLetters } from '../../../lib/db/dead-letters.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { exchanges } from '../../../lib/messages/routing.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { eventually } from '../../support/eventually.ts'
import { openStage, type Stage } from '../processor/stage.ts'

let stage: Stage
const home = mkdtempSync(join(tmpdir(), 'manman-dlq-'))
beforeAll(async () => {
  stage = await openStage()
})
afterAll(async () => {
  await stage.close()
  rmSync(home, { recursive: true })
})
beforeEach(() => stage.db.deleteFrom('dead_letters.letters').execute())

interface Answer {
  code: number
  out: string
  err: string
}

const environment = (): NodeJS.ProcessEnv => ({
  MANMAN_HOME: home,
  DATABASE_URL: stage.databaseUrl,
  AMQP_URL: stage.broker.url,
})

/** `manman dlq …`, in this process: a dozen of their own would take most of a minute. */
const dlq = async (words: string[], change: NodeJS.ProcessEnv = {}): Promise<Answer> => {
  const answer = { code: 0, out: '', err: '' }
  for (const [name, value] of Object.entries({ ...environment(), ...change })) vi.stubEnv(name, value)
  vi.spyOn(console, 'log').mockImplementation((text) => {
    answer.out += `${text}\n`
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    answer.err += text
    return true
  })
  try {
    await run(['node', 'manman', 'dlq', ...words])
    return { ...answer, code: Number(process.exitCode ?? 0) }
  } finally {
    process.exitCode = undefined
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  }
}

const asProcess = (words: string[]): Promise<Answer> =>
  new Promise((resolve) => {
    const options = { cwd: join(import.meta.dirname, '../../..'), env: { PATH: process.env.PATH, ...environment() } }
    execFile(process.execPath, ['--import', 'tsx', 'cli/main.ts', 'dlq', ...words], options, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })

const queueOf = async (): Promise<string> => (await stage.direct().assertQueue(newId())).queue
const letterIn = async (queue: string, content: string | Buffer, messageId: string = newId()): Promise<string> => {
  const about = { exchange: exchanges.reports, routingKey: 'status.session.a.b', kind: 'status.session', reason: 'bad\u001b[2J' }
  const letter = { ...about, diedAt: new Date(), queue, messageId, attempts: 3, content: Buffer.from(content) }
  await inTransaction(stage.db, (tx) => addDeadLetter(tx, letter))
  const [found] = (await listDeadLetters(stage.db)).filter((each) => each.messageId === messageId)
  return found!.id
}

describe('manman dlq', () => {
  it('lists what is there, safe on a terminal, and what is no longer', async () => {
    expect(await asProcess(['list'])).toEqual({ code: 0, out: 'No dead letters.\n', err: '' })
    const id = await letterIn('processor.statuses', '{}')
    const { out } = await dlq(['list'])
    expect(out).toMatch(/^ID +WHEN +FROM +KIND +BYTES +REASON\n/)
    expect(out).toMatch(new RegExp(`^${id}  \\S+Z  processor.statuses  status.session  2      bad\\\\u001b\\[2J$`, 'm'))
    const [told] = JSON.parse((await dlq(['list', '--json'])).out)
    expect(told).toMatchObject({ id, queue: 'processor.statuses', bytes: 2, attempts: 3, reason: 'bad\u001b[2J' })
    await inTransaction(stage.db, (tx) => pruneDeadLetters(tx, { maxAgeMs: 60_000, maxLetters: 0, maxBytes: 1_000 }))
    expect((await dlq(['list'])).out).toMatch(/^No dead letters\.\n1 older ones were dropped to make room/)
  })

  it('shows one whole: JSON laid out, control characters as what they are', async () => {
    const id = await letterIn('processor.statuses', JSON.stringify({ text: 'a\u009b31m\u202e' }))
    const { out } = await dlq(['show', id])
    expect(out).toContain('from      processor.statuses (published to manman.reports as status.session.a.b)')
    expect(out).toContain('\n  "text": "a\\u009b31m\\u202e"\n')
    const binary = await letterIn('processor.statuses', Buffer.from([0xff, 0x00, 0x1b]))
    expect((await dlq(['show', binary])).out).toContain('(no text; base64)\n/wAb')
    expect(await dlq(['show', newId()])).toMatchObject({ code: 1, err: expect.stringContaining('There is no dead letter') })
  })

  it('sends again to the queue it came from, as it was, and removes it', async () => {
    const queue = await queueOf()
    const [first] = [await letterIn(queue, 'one'), await letterIn(queue, 'two')]
    expect(await dlq(['retry', first!])).toMatchObject({ code: 0, out: `${first} sent\n` })
    const got = await eventually(() => stage.direct().get(queue, { noAck: true }), { what: 'it is in its queue' })
    expect(got.content.toString()).toBe('one')
    expect(got.properties.headers).toMatchObject({
      'x-manman-exchange': exchanges.reports,
      'x-manman-routing-key': 'status.session.a.b',
    })
    expect((await dlq(['retry', '--all'])).code).toBe(0)
    expect((await stage.direct().checkQueue(queue)).messageCount).toBe(1)
    expect(await listDeadLetters(stage.db)).toEqual([])
  })

  it('keeps what can not be sent, and says why', async () => {
    const id = await letterIn('host.gone.commands', 'x')
    const { code, err } = await dlq(['retry', '--all'])
    expect({ code, err }).toEqual({ code: 1, err: `${id} kept: No queue takes host.gone.commands.\n` })
    expect(await listDeadLetters(stage.db)).toHaveLength(1)
    const away = await dlq(['retry', id], { AMQP_URL: 'amqp://127.0.0.1:1' })
    expect(away).toMatchObject({ code: 1, err: expect.stringContaining('AMQP_URL: the broker does not answer') })
  })

  it('drops only who says yes', async () => {
    const id = await letterIn('processor.statuses', 'x')
    expect(await dlq(['drop', id])).toMatchObject({ code: 1, err: expect.stringContaining('give --yes') })
    expect(await dlq(['drop', '--yes'])).toMatchObject({ code: 1, err: 'give either an ID or --all\n' })
    expect(await dlq(['drop', id, '--yes'])).toMatchObject({ code: 0, out: '1 dropped\n' })
    expect(await listDeadLetters(stage.db)).toEqual([])
  })

  it('finds what `manman up` runs, and says when that is not there', async () => {
    const { code, err } = await dlq(['list'], { DATABASE_URL: '' })
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/^the database of .* does not answer .*: start ManMan there/),
    })
  })
})
