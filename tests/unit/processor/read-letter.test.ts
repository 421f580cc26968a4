import { describe, expect, it } from 'vitest'
import { exchanges } from '../../../lib/messages/routing.ts'
import type { IncomingMessage } from '../../../lib/rabbit/consumer.ts'
import { readLetter } from '../../../processor/read-letter.ts'

const now = new Date('2026-01-01T12:00:00.000Z')
const read = (change: Partial<IncomingMessage>) =>
  readLetter(
    {
      content: Buffer.from('{"kind":"status.session"}'),
      routingKey: 'status.session.a.b',
      exchange: exchanges.reports,
      via: '',
      userId: undefined,
      redelivered: false,
      attempt: 1,
      receivedAtMs: 0,
      messageId: 'm',
      correlationId: undefined,
      replyTo: undefined,
      headers: {},
      ...change,
    },
    now,
  )

const kept = {
  'x-manman-queue': 'processor.statuses',
  'x-manman-exchange': exchanges.reports,
  'x-manman-routing-key': 'status.session.a.b',
  'x-manman-reason': 'not JSON',
  'x-manman-attempts': 3,
  'x-manman-died-at': '2026-01-01T11:00:00.000Z',
}

describe('a dead letter', () => {
  it('says what its consumer wrote', () => {
    expect(read({ headers: kept })).toEqual({
      diedAt: new Date('2026-01-01T11:00:00.000Z'),
      queue: 'processor.statuses',
      exchange: exchanges.reports,
      routingKey: 'status.session.a.b',
      messageId: 'm',
      kind: 'status.session',
      reason: 'not JSON',
      attempts: 3,
      content: Buffer.from('{"kind":"status.session"}'),
    })
  })

  it('of a host is for the commands queue of that host alone, whatever it writes', () => {
    const headers = { ...kept, 'x-manman-queue': 'host.another.commands', 'x-manman-exchange': '' }
    const byHost = { via: exchanges.reports, headers }
    // A copy by CC reaches the queue beside any key; its own is the first.
    expect(read({ ...byHost, routingKey: 'status.host.mine' })).toMatchObject({ queue: 'host.mine.commands' })
    const letter = read({ ...byHost, routingKey: 'deadletter.host.mine', headers })
    expect(letter).toMatchObject({ queue: 'host.mine.commands', exchange: exchanges.commands })
  })

  it('of a queue says what the queue knows, and is none when only its time was over', () => {
    const death = {
      reason: 'delivery_limit',
      queue: 'host.a.commands',
      exchange: exchanges.commands,
      'routing-keys': ['k'],
      count: 1,
    }
    expect(read({ headers: { 'x-death': [death] } })).toMatchObject({
      queue: 'host.a.commands',
      routingKey: 'k',
      reason: 'the queue gave it up: delivery_limit',
    })
    expect(read({ headers: { 'x-death': [{ ...death, reason: 'expired' }] } })).toBe('expired')
  })

  it('can be anything at all', () => {
    const headers = { 'x-manman-died-at': 'soon', 'x-manman-attempts': -1, 'x-manman-reason': 'a\0b', 'x-death': 7 }
    expect(read({ headers, content: Buffer.from([0xff]), messageId: undefined })).toMatchObject({
      diedAt: now,
      queue: '',
      kind: null,
      messageId: null,
      reason: 'a\u{fffd}b',
      attempts: 1,
    })
    expect(read({ headers: { 'x-manman-died-at': '2999-01-01T00:00:00Z' } })).toMatchObject({ diedAt: now })
  })
})
