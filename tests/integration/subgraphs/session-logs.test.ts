import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Identity } from '../../../lib/process/identity.ts'
import { eventually } from '../../support/eventually.ts'
import { makeScriptedHost, type ScriptedHost } from './scripted-host.ts'
import { type Answer, openStage, type Stage, type Subscription } from './stage.ts'
import { makeWorld } from './world.ts'

const text = `subscription ($sessionId: ID!, $after: String, $tail: Int) {
  sessionLogs(sessionId: $sessionId, after: $after, tail: $tail) {
    sessionId cursor end text lines { seq at stream text } gap { kind fromSeq toSeq lostLines reason } } }`
/** As the console reads it: no objects for lines. */
const packed = `subscription ($sessionId: ID!, $after: String) {
  sessionLogs(sessionId: $sessionId, after: $after) { cursor text end } }`

let stage: Stage
let world: ReturnType<typeof makeWorld>
let host: ScriptedHost
let session: { id: string; serverId: string; deploymentId: string }
const open: Subscription[] = []

beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

beforeEach(async () => {
  session = await world.session({ status: 'RUNNING' })
  host = makeScriptedHost(stage, session.serverId, session.id)
  await host.start()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
  await host.stop()
})

const follow = async (args: object = {}, query = text): Promise<Subscription> => {
  const subscription = await stage.subscribe('sessions', query, { sessionId: session.id, ...args })
  open.push(subscription)
  return subscription
}

/** As the processor and the relay do on a session's last report. */
const endSession = async (lastSeq: number | null): Promise<void> => {
  await world.endSession(session.id, lastSeq)
  await world.announceSession(session.id, session.serverId, session.deploymentId)
}

interface Got {
  seqs: number[]
  gaps: Answer[]
  cursor: string
  ended: boolean
}

/** Reads until `enough`, checking that lines and packed text agree. */
const read = async (subscription: Subscription, enough: (got: Got) => boolean): Promise<Got> => {
  const got: Got = { seqs: [], gaps: [], cursor: '', ended: false }
  while (!enough(got)) {
    const { sessionLogs: batch } = await subscription.next()
    expect(batch.text).toBe(batch.lines.map((line: { text: string }) => line.text).join('\n'))
    for (const line of batch.lines) {
      expect(line.text).toBe(`line ${line.seq}`)
      got.seqs.push(line.seq)
    }
    if (batch.gap) got.gaps.push(batch.gap)
    got.cursor = batch.cursor
    got.ended = batch.end
  }
  return got
}
const lines = (count: number) => (got: Got) => got.seqs.length >= count
const theEnd = (got: Got) => got.ended
const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)

describe('sessionLogs', () => {
  it('gives what there is, then what comes, then the end, and completes', async () => {
    await host.write(3)
    const subscription = await follow()
    expect(await read(subscription, lines(3))).toMatchObject({ seqs: [1, 2, 3], cursor: '3' })
    await host.write(2)
    expect(await read(subscription, lines(2))).toMatchObject({ seqs: [4, 5], cursor: '5', ended: false })
    await endSession(5)
    expect(await read(subscription, theEnd)).toMatchObject({ seqs: [], cursor: '5', gaps: [] })
    await subscription.completed()
  })

  it('shows number, time and stream of each line', async () => {
    await host.write(1)
    const { sessionLogs } = await (await follow()).next()
    expect(sessionLogs).toEqual({
      sessionId: session.id,
      cursor: '1',
      end: false,
      text: 'line 1',
      lines: [{ seq: 1, at: '2023-11-14T22:13:20.000Z', stream: 'STDOUT', text: 'line 1' }],
      gap: null,
    })
  })

  it('gives live lines within moments', async () => {
    const subscription = await follow()
    await host.write(1)
    await read(subscription, lines(1))
    const since = performance.now()
    await host.write(1)
    await read(subscription, lines(1))
    expect(performance.now() - since).toBeLessThan(1_000) // far below the renewal, which would bring it too
  })

  it('reads a long history page by page', async () => {
    await host.write(9_000, { live: false })
    expect((await read(await follow(), lines(9_000))).seqs).toEqual(range(1, 9_000))
  })

  it('resumes behind a cursor', async () => {
    await host.write(10)
    expect((await read(await follow({ after: '7' }), lines(3))).seqs).toEqual([8, 9, 10])
    expect((await read(await follow({ after: '0' }), lines(10))).seqs).toEqual(range(1, 10))
  })

  it('begins with the last lines', async () => {
    await host.write(10)
    expect((await read(await follow({ tail: 4 }), lines(4))).seqs).toEqual([7, 8, 9, 10])
    const onlyNew = read(await follow({ tail: 0 }), lines(1))
    await eventually(() => host.asked.filter(({ kind }) => kind === 'logs.read').length >= 2, { what: 'both asked for a tail' })
    await host.write(1)
    expect((await onlyNew).seqs).toEqual([11])
  })

  it('of a session that never ran ends at once', async () => {
    await world.endSession(session.id, null)
    const subscription = await follow()
    expect(await read(subscription, theEnd)).toEqual({ seqs: [], gaps: [], cursor: '0', ended: true })
    await subscription.completed()
  })

  it('of a session that has ended reads what the host keeps', async () => {
    await host.write(5, { live: false })
    await world.endSession(session.id, 5)
    expect((await read(await follow({ after: '2' }), theEnd)).seqs).toEqual([3, 4, 5])
    expect(await read(await follow({ tail: 1 }), theEnd)).toMatchObject({ seqs: [5], cursor: '5' })
    expect(await read(await follow({ after: '5' }), theEnd)).toMatchObject({ seqs: [], cursor: '5' })
  })

  it('waits for a session that its host has not heard of yet', async () => {
    host.setKnows(false)
    const reading = read(await follow(), lines(2))
    await eventually(() => host.asked.length > 1, { what: 'the host was asked' })
    host.setKnows(true)
    await host.write(2, { live: false })
    expect((await reading).seqs).toEqual([1, 2])
  })

  it('repairs live batches that are lost, double or late', async () => {
    const subscription = await follow()
    await host.write(1)
    await read(subscription, lines(1))
    await host.write(20, { live: false })
    for (const [from, to] of [
      [18, 20],
      [2, 4],
      [3, 6],
      [2, 4],
      [21, 21],
      [9, 10],
    ] as const)
      await host.publish(from, to)
    expect((await read(subscription, lines(20))).seqs).toEqual(range(2, 21))
  })

  it('finds lines that were never published', async () => {
    const subscription = await follow()
    await host.write(1)
    await read(subscription, lines(1))
    await host.write(3, { live: false })
    expect((await read(subscription, lines(3))).seqs).toEqual([2, 3, 4])
  })

  it('goes on where it was when the host has restarted', async () => {
    const subscription = await follow()
    await host.write(2)
    await read(subscription, lines(2))
    await host.stop()
    await host.write(500, { live: false })
    await host.start()
    await host.write(1)
    expect((await read(subscription, lines(501))).seqs).toEqual(range(3, 503))
  })

  it('goes on where it was when the broker is back', async () => {
    const subscription = await follow()
    await host.write(2)
    await read(subscription, lines(2))
    stage.proxy.cut()
    await host.write(50)
    stage.proxy.restore()
    await host.write(1)
    expect((await read(subscription, lines(51))).seqs).toEqual(range(3, 53))
    await host.write(1)
    expect((await read(subscription, lines(1))).seqs).toEqual([54])
  })

  it('names what the host no longer keeps', async () => {
    await host.write(10)
    host.dropBefore(5)
    const got = await read(await follow({ after: '1' }), lines(6))
    expect(got.seqs).toEqual(range(5, 10))
    expect(got.gaps).toEqual([{ kind: 'EXPIRED', fromSeq: 2, toSeq: 4, lostLines: 3, reason: expect.any(String) }])
  })

  it('names the rest when the host has lost the log of a session that has ended', async () => {
    host.setKnows(false)
    await world.endSession(session.id, 7)
    const got = await read(await follow({ after: '3' }), theEnd)
    expect(got).toMatchObject({ seqs: [], gaps: [{ kind: 'EXPIRED', fromSeq: 4, toSeq: 7, lostLines: 4 }], cursor: '7' })
  })

  it('fails with UNAVAILABLE when the session has ended and its host is OFFLINE', async () => {
    const subscription = await follow()
    await host.write(2)
    await read(subscription, lines(2))
    await host.stop()
    await endSession(5)
    await world.setServer(session.serverId, { status: 'OFFLINE' })
    expect(await subscription.failure()).toBe('UNAVAILABLE')
    await subscription.completed()
  })

  it('gives each line once and in order through a storm of restarts, outages and faults', async () => {
    const total = 20_000
    const subscription = await follow()
    const reading = read(subscription, theEnd)
    let seed = 42
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    while (host.texts.length < total) {
      const kind = random(10)
      if (kind === 0) await host.stop().then(host.start)
      else if (kind === 1) {
        stage.proxy.cut()
        await host.write(random(300) + 1)
        stage.proxy.restore()
      } else if (kind === 2) await host.write(random(300) + 1, { live: false })
      else if (kind === 3 && host.texts.length > 50) await host.publish(host.texts.length - random(40), host.texts.length)
      else await host.write(random(300) + 1)
    }
    await endSession(host.texts.length)
    const got = await reading
    expect(got.gaps).toEqual([])
    expect(got.seqs).toEqual(range(1, host.texts.length))
  }, 120_000)

  it.each([
    [{ after: 'x' }, 'INVALID_INPUT'],
    [{ after: '-1' }, 'INVALID_INPUT'],
    [{ after: '9'.repeat(16) }, 'INVALID_INPUT'],
    [{ after: '1', tail: 1 }, 'INVALID_INPUT'],
    [{ tail: -1 }, 'INVALID_INPUT'],
    [{ tail: 10_001 }, 'INVALID_INPUT'],
    [{ sessionId: '01990000-0000-7000-8000-000000000000' }, 'NOT_FOUND'],
    [{ sessionId: 'x' }, 'NOT_FOUND'],
  ])('refuses %j', async (args, code) => {
    await expect(follow(args)).rejects.toThrow(code)
  })
})

describe('viewers of one session', () => {
  /** Queues that live lines of the session go to. */
  const queuesOfSession = async (): Promise<number> => {
    const bindings = (await stage.broker.api('GET', '/api/exchanges/{vhost}/manman.reports/bindings/source')) as {
      routing_key: string
    }[]
    return bindings.filter(({ routing_key }) => routing_key === `log.session.${session.serverId}.${session.id}`).length
  }

  it('share one queue, which goes with the last of them', async () => {
    const viewers = await Promise.all([follow(), follow(), follow()])
    await host.write(2)
    for (const viewer of viewers) expect((await read(viewer, lines(2))).seqs).toEqual([1, 2])
    expect(await queuesOfSession()).toBe(1)
    await viewers[0]!.close()
    await viewers[1]!.close()
    await host.write(1)
    expect((await read(viewers[2]!, lines(1))).seqs).toEqual([3])
    await viewers[2]!.close()
    await eventually(async () => (await queuesOfSession()) === 0, { what: 'the queue is gone' })
  })

  it('do not wait for one that does not read, which misses nothing either', async () => {
    const perBatch = 500
    const line = (seq: number): string => `line ${seq} ${'x'.repeat(200)}`
    const quick = await follow({}, packed)
    const slow = await follow({}, packed)
    await host.write(1, { text: line })
    await quick.next()
    await slow.next()
    // 12 MB, three times what is kept for a viewer.
    for (let batch = 0; batch < 120; batch++) {
      await host.write(perBatch, { text: line })
      await readText(quick, host.texts.length)
    }
    await readText(slow, host.texts.length)
  }, 60_000)

  /** Reads up to the line `lastSeq`, checking that numbers in the text are consecutive. */
  const readText = async (viewer: Subscription, lastSeq: number): Promise<void> => {
    for (;;) {
      const { sessionLogs: batch } = await viewer.next()
      const seqs = batch.text.split('\n').map((one: string) => Number(one.split(' ')[1]))
      const previous = positions.get(viewer) ?? 1
      expect(seqs).toEqual(range(previous + 1, previous + seqs.length))
      positions.set(viewer, previous + seqs.length)
      if (Number(batch.cursor) === lastSeq) return
    }
  }
  const positions = new WeakMap<Subscription, number>()
})

describe('what the gateway shares between viewers', () => {
  it('opens the log of one session, and nothing else', async () => {
    const other = await world.session({ status: 'RUNNING' })
    const shared: Identity = { sub: 'viewers', kind: 'scope', scopes: ['VIEW'], session: session.id }
    const subscribe = (query: string, id: string) => stage.subscribe('sessions', query, { sessionId: id }, shared)
    await host.write(2)
    const subscription = await subscribe(text, session.id)
    open.push(subscription)
    expect((await read(subscription, lines(2))).seqs).toEqual([1, 2])

    await expect(subscribe(text, other.id)).rejects.toThrow('NOT_FOUND')
    for (const field of ['sessionStats(sessionId: $sessionId) { at }', 'sessionChanged(sessionId: $sessionId) { id }'])
      await expect(subscribe(`subscription ($sessionId: ID!) { ${field} }`, session.id)).rejects.toThrow('FORBIDDEN')
    for (const query of [
      'query ($id: ID!) { session(id: $id) { id } }',
      'mutation ($id: ID!) { killSession(input: { sessionId: $id }) { __typename } }',
    ])
      expect(await stage.fail('sessions', query, { id: session.id }, shared)).toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('closing', () => {
  it('ends subscriptions with UPSTREAM_LOST, so that nobody takes it for the end of the log', async () => {
    const own = await openStage()
    const ownWorld = makeWorld(own)
    const { id } = await ownWorld.session({ status: 'RUNNING' })
    const logs = await own.subscribe('sessions', packed, { sessionId: id })
    const changes = await own.subscribe('sessions', 'subscription ($id: ID) { sessionChanged(sessionId: $id) { status } }', {
      id,
    })
    await changes.next()
    const failures = [logs.failure(), changes.failure()]
    await own.closeSubgraphs()
    expect(await Promise.all(failures)).toEqual(['UPSTREAM_LOST', 'UPSTREAM_LOST'])
    await own.close()
  })
})
