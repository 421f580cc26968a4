import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLogReader } from '../../../../host/logs/reader.ts'
import type { LogRecord } from '../../../../lib/messages/log-records.ts'
import { eventually } from '../../../support/eventually.ts'
import { buildFakeGame } from '../../../support/images/fake-game.ts'
import { openRelay } from '../docker/relay.ts'
import { type Game, logger, openSandbox, type Sandbox } from '../docker/sandbox.ts'
import { readAll, recordsOf, startReading } from './reading.ts'

let box: Sandbox
beforeAll(async () => {
  box = await openSandbox()
})
afterAll(() => box.close())

const read = (game: Game, options: Partial<Parameters<typeof startReading>[0]> = {}) =>
  startReading({
    socketPath: box.socketPath,
    root: path.join(box.dataDir, 'logs'),
    containerId: game.id,
    sessionId: game.sessionId,
    tty: game.spec.tty,
    ...options,
  })

const type = async (game: Game, ...lines: string[]): Promise<void> => {
  const input = box.docker.input(game.id)
  for (const line of lines) await input.write(line)
  input.close()
}

const textsOf = (records: readonly LogRecord[], stream?: string): string[] =>
  records.filter((record) => stream === undefined || record.stream === stream).map((record) => record.bytes.toString('latin1'))

/** What the counting game writes on one stream. */
const counted = (total: number, first: 1 | 2): string[] =>
  Array.from({ length: Math.floor((total - first) / 2) + 1 }, (_, i) => `line ${first + 2 * i}`)

const expectCounted = (records: readonly LogRecord[], total: number): void => {
  expect(records.map((record) => record.seq)).toEqual(records.map((_, i) => i + 1))
  expect(textsOf(records, 'O')).toEqual(['ready', ...counted(total, 1)])
  expect(textsOf(records, 'E')).toEqual(counted(total, 2))
  expect(records).toHaveLength(total + 1)
}

const counting = (total: number, rate: number) => ({ env: { TOTAL: String(total), RATE: String(rate), EXIT_WHEN_COUNTED: '1' } })
const random = (min: number, max: number): number => min + Math.floor(Math.random() * (max - min))

describe('a reader that is interrupted', () => {
  it('by closing, at many moments, gives every line once, in order, under one number', async () => {
    const total = 10_000
    const game = await box.game(counting(total, 8_000))
    const published = new Map<number, string>()
    for (let rounds = 0; ; rounds++) {
      let heard = 0
      const reading = await read(game, {
        onLines: (batch) => {
          heard += batch.lastSeq - batch.firstSeq + 1
          for (let seq = batch.firstSeq; seq <= batch.lastSeq; seq++) expect(published.has(seq)).toBe(false)
          for (const record of recordsOf(batch)) published.set(record.seq, record.bytes.toString('latin1'))
        },
      })
      const enough = random(1, 1_500)
      const outcome = await Promise.race([
        reading.reader.drained,
        eventually(() => heard >= enough, { what: 'lines came', everyMs: 2 }),
      ])
      await reading.stop()
      if (outcome !== 'complete') continue
      expect(rounds).toBeGreaterThan(1)
      expectCounted(await readAll(reading.log), total)
      expect(published.size).toBe(total + 1)
      return
    }
  })

  it('by SIGKILL of its process keeps the number of every line it has published', async () => {
    const total = 12_000
    const game = await box.game(counting(total, 8_000))
    const script = path.join(import.meta.dirname, 'agent-process.ts')
    const root = path.join(box.dataDir, 'logs')
    const published = new Map<number, string>()
    let doubled = 0
    const runOnce = async (killAfter: number): Promise<number | null> => {
      const child = spawn(process.execPath, ['--import', 'tsx', script, box.socketPath, root, game.id, game.sessionId], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
      let heard = 0
      createInterface(child.stdout).on('line', (line) => {
        const [seq] = line.split(' ')
        if (published.has(Number(seq))) doubled++
        published.set(Number(seq), line)
        if (++heard === killAfter) child.kill('SIGKILL')
      })
      return ended
    }
    let kills = 0
    while ((await runOnce(random(500, 4_000))) !== 0) kills++
    expect(kills).toBeGreaterThan(0)
    expect(doubled).toBe(0)
    const reading = await read(game)
    const records = await readAll(reading.log)
    await reading.stop()
    expectCounted(records, total)
    // The last line printed by a process that was killed may be cut.
    const whole = new Map(records.map((record) => [record.seq, `${record.seq} ${record.stream} ${record.bytes}`]))
    for (const [seq, line] of published) expect(whole.get(seq)?.startsWith(line)).toBe(true)
  })

  it('by losing the engine’s connection in the middle goes on from its cursor', async () => {
    const relay = await openRelay(box.socketPath)
    const total = 10_000
    const game = await box.game(counting(total, 8_000))
    let heard = 0
    const reading = await read(game, {
      socketPath: relay.socketPath,
      onLines: (batch) => {
        heard = batch.lastSeq
      },
    })
    for (const at of [1, 2_000, 5_000]) {
      await eventually(() => heard >= at, { what: `line ${at} came`, everyMs: 2 })
      relay.cut()
    }
    expect(await reading.reader.drained).toBe('complete')
    expectCounted(await readAll(reading.log), total)
    await reading.stop()
    await relay.close()
  })
})

describe('the end of a log', () => {
  it('is complete when the game ends right after its last line', async () => {
    const script =
      'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "last words $i"; done; usleep 50000; printf "no newline"; exit 4'
    const games = await Promise.all(Array.from({ length: 6 }, () => box.game({ command: ['/bin/sh', '-c', script] })))
    for (const game of games) {
      const reading = await read(game)
      expect(await reading.reader.drained).toBe('complete')
      const texts = textsOf(await readAll(reading.log))
      expect(texts).toEqual([...Array.from({ length: 300 }, (_, i) => `last words ${i + 1}`), 'no newline'])
      await reading.stop()
    }
  })

  it('is found although Docker forgets to end the stream', async () => {
    const game = await box.game()
    const reading = await read(game)
    await eventually(() => reading.log.extent().lastSeq === 1, { what: 'ready' })
    await reading.reader.close()
    const reader = makeLogReader({
      log: reading.log,
      output: async (options) =>
        options.follow ? new PassThrough({ signal: options.signal }) : box.docker.output(game.id, options),
      state: async () => ((await box.docker.containers.inspect(game.id))?.state === 'exited' ? 'ended' : 'running'),
      tty: false,
      logger,
      now: Date.now,
    })
    await type(game, 'quit')
    await box.ended(game)
    reader.ended()
    expect(await reader.drained).toBe('complete')
    expect(textsOf(await readAll(reading.log))).toEqual(['ready', 'bye'])
    await reading.stop()
  })

  it('is said to be unknown when the container was removed before', async () => {
    const game = await box.game()
    const reading = await read(game)
    await eventually(() => reading.log.extent().lastSeq === 1, { what: 'ready' })
    await box.docker.containers.remove(game.id)
    expect(['gone', 'complete']).toContain(await reading.reader.drained)
    await reading.stop()
    const late = await read(game)
    expect(await late.reader.drained).toBe('gone')
    await late.stop()
  })
})

describe('lines', () => {
  it.each([false, true])('come as the game wrote them: blank, long, binary, coloured (terminal: %s)', async (tty) => {
    const game = await box.game({ tty })
    // In a terminal what is typed is echoed, and lines end with what the terminal makes of a newline.
    const end = tty ? '\r' : ''
    if (tty) await type(game, 'sh stty -echo; echo silent')
    else await type(game, 'sh echo silent')
    const reading = await read(game)
    await eventually(async () => textsOf(await readAll(reading.log)).includes(`silent${end}`), { what: 'silent' })
    await type(
      game,
      'print a\\rb',
      'print ',
      'print \\033[31mred\\033[0m',
      'print \\0377\\0376\\0001x',
      'long 16384',
      'long 300000',
      'say done',
    )
    await eventually(async () => textsOf(await readAll(reading.log)).includes(`[chat] done${end}`), { what: 'done' })
    const records = await readAll(reading.log)
    const from = records.findIndex((record) => record.bytes.toString('latin1') === `silent${end}`) + 1
    const lines = records.slice(from).map((record) => ({ text: record.bytes.toString('latin1'), continued: record.continued }))
    expect(lines.slice(0, 4).map((line) => line.text)).toEqual(
      ['a\rb', '', '\x1b[31mred\x1b[0m', '\xff\xfe\x01x'].map((text) => text + end),
    )
    expect(lines.map((line) => [line.text.length - end.length, line.continued]).slice(4)).toEqual([
      [16_384, false],
      [262_144 - end.length, true],
      [300_000 - 262_144, false],
      ['[chat] done'.length, false],
    ])
    const long = lines[5]!.text + lines[6]!.text
    expect(long.startsWith('abcdefghijklmnopqrstuvwxyzabc')).toBe(true)
    expect(long).toMatch(/^[a-z]+\r?$/)
    await type(game, 'quit')
    expect(await reading.reader.drained).toBe('complete')
    await reading.stop()
  })

  it('typed and said by the platform stand in the same sequence, numbered when they are written', async () => {
    const game = await box.game()
    const heard: number[] = []
    const reading = await read(game, { onLines: (batch) => void heard.push(batch.firstSeq, batch.lastSeq) })
    expect(await reading.log.system('Pulling image 40 %')).toBeGreaterThan(0)
    for (let i = 1; i <= 20; i++) {
      await reading.log.input(`say ${i}`)
      await type(game, `say ${i}`)
    }
    await type(game, 'quit')
    await reading.reader.drained
    const records = await readAll(reading.log)
    expect(records.map((record) => record.seq)).toEqual(records.map((_, i) => i + 1))
    for (let i = 1; i <= 20; i++) {
      const typed = records.find((record) => record.stream === 'I' && record.bytes.toString() === `say ${i}`)!
      const answer = records.find((record) => record.bytes.toString() === `[chat] ${i}`)!
      expect(answer.seq).toBeGreaterThan(typed.seq)
    }
    expect(heard).toEqual([...heard].sort((a, b) => a - b))
    await reading.stop()
  })

  it('wait while they are not taken, without holding up another session', async () => {
    const total = 20_000
    const [stuck, free] = await Promise.all([box.game(counting(total, 100_000)), box.game(counting(total, 100_000))])
    let release = (): void => undefined
    const blocked = new Promise<void>((resolve) => {
      release = resolve
    })
    const [first, second] = [await read(stuck, { onLines: () => blocked }), await read(free)]
    expect(await second.reader.drained).toBe('complete')
    await box.ended(stuck)
    expect(first.log.extent().lastSeq).toBeLessThan(total / 2)
    release()
    expect(await first.reader.drained).toBe('complete')
    expectCounted(await readAll(first.log), total)
    expectCounted(await readAll(second.log), total)
    await Promise.all([first.stop(), second.stop()])
  })

  /** A game whose log Docker rotates at `max-size`, keeping `max-file` files. */
  const rotating = async (config: Record<string, string>): Promise<Game> => {
    const labels = {
      'manman.session_id': randomUUID(),
      'manman.sgc_id': 'x',
      'manman.server_id': box.serverId,
      'manman.env': 'test',
    }
    const container = await box.raw.createContainer({
      Image: await buildFakeGame(),
      Labels: { ...labels, 'manman.type': 'game' },
      OpenStdin: true,
      HostConfig: { LogConfig: { Type: 'local', Config: { compress: 'false', ...config } } },
    })
    await container.start()
    return { id: container.id, sessionId: labels['manman.session_id'], spec: { tty: false } } as Game
  }

  it('that Docker passed over while nobody read are read again', async () => {
    const total = 150_000
    const game = await rotating({ 'max-size': '2m', 'max-file': '20' })
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const stuck = await read(game, { onLines: (batch) => (batch.lastSeq > 1 ? released : undefined) })
    await eventually(() => stuck.log.extent().lastSeq === 1, { what: 'ready' })
    await type(game, `count ${total}`, 'say done')
    const whole = await read({ ...game, sessionId: randomUUID() })
    await eventually(() => whole.log.extent().lastSeq >= total + 2, { what: 'all is written' })
    release()
    await type(game, 'quit')
    expect(await stuck.reader.drained).toBe('complete')
    const records = await readAll(stuck.log)
    expect(textsOf(records, 'S')).toEqual([])
    expect(textsOf(records, 'E')).toEqual(counted(total, 2))
    expect(records.map((record) => record.seq)).toEqual(records.map((_, i) => i + 1))
    await Promise.all([stuck.stop(), whole.stop()])
  })

  it('that Docker dropped before they were read are said to be missing', async () => {
    const game = await rotating({ 'max-size': '100k', 'max-file': '2' })
    const before = await read(game)
    await eventually(() => before.log.extent().lastSeq === 1, { what: 'ready' })
    await before.stop()
    await type(game, 'count 20000', 'quit')
    await box.ended(game)
    const after = await read(game)
    expect(await after.reader.drained).toBe('complete')
    const records = await readAll(after.log)
    expect(records[1]).toMatchObject({ stream: 'S', seq: 2 })
    expect(records[1]!.bytes.toString()).toMatch(/Lines are missing here/)
    expect(records.filter((record) => record.stream === 'S')).toHaveLength(1)
    expect(textsOf(records, 'O').at(-1)).toBe('bye')
    expect(textsOf(records, 'E').at(-1)).toBe('line 20000')
    await after.stop()
  })
})
