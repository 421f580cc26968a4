import { setTimeout as delay } from 'node:timers/promises'
import { messageVersion, writeMessage } from '../lib/messages/envelope.ts'
import { exchanges, keys } from '../lib/messages/routing.ts'
import type { SessionReport, SessionState } from '../lib/messages/statuses.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import type { Publisher } from '../lib/rabbit/publisher.ts'
import { type SessionRecord, statusOf } from './session-record.ts'

/** What the control plane is told of a record, but for its revision: the whole state, so that any later one replaces it. */
export const stateOf = (record: SessionRecord): Omit<SessionState, 'revision'> => ({
  sessionId: record.sessionId,
  status: statusOf(record),
  startedAt: record.startedAt,
  readyAt: record.readyAt,
  endedAt: record.ended?.at ?? null,
  exitCode: record.ended?.exitCode ?? null,
  oomKilled: record.ended?.oomKilled ?? null,
  endReason: record.ended?.reason ?? null,
  endMessage: record.ended?.message ?? null,
  imageDigest: record.imageDigest,
  lastLines: record.lastLines,
  logLastSeq: record.ended ? record.logLastSeq : null,
})

const reportOf = (
  record: SessionRecord,
  predecessor: SessionRecord | undefined,
): Omit<SessionReport, 'version' | 'id' | 'kind' | 'at'> => ({
  ...stateOf(record),
  revision: record.revision,
  restart:
    record.restart && record.serverGameConfigId
      ? {
          serverGameConfigId: record.serverGameConfigId,
          of: record.restart.of,
          previous: predecessor?.ended ? { ...stateOf(predecessor), revision: predecessor.revision } : null,
          collapsed: record.restart.collapsed,
        }
      : null,
})

const retryMs = 500

/**
 * Tells the control plane of every session whose revision the broker has not confirmed yet: at once, and again until it
 * has. Needs no queue of its own: what is unconfirmed stands in the records, and only the latest state matters.
 */
export const makeReporter = (options: {
  serverId: string
  publisher: Publisher
  /** Records whose `reported` is behind their `revision`, but for those whose end their successor tells. */
  unreported: () => SessionRecord[]
  /** Records of sessions that go on and were told of. */
  toldAndLive: () => SessionRecord[]
  recordOf: (sessionId: string) => SessionRecord | undefined
  onConfirmed: (sessionId: string, revision: number) => Promise<void>
  logger: Logger
}) => {
  const stop = new AbortController()
  let wake = (): void => undefined
  let woken: Promise<void> = Promise.resolve()
  /** Told before, to be told once more. */
  const again = new Set<string>()

  const publish = async (record: SessionRecord): Promise<void> => {
    const id = newId()
    const predecessor = record.restart ? options.recordOf(record.restart.of) : undefined
    const message = { version: messageVersion, id, kind: 'status.session', at: new Date().toISOString() }
    await options.publisher.publish({
      exchange: exchanges.reports,
      routingKey: keys.sessionStatus(options.serverId, record.sessionId),
      content: writeMessage({ ...message, ...reportOf(record, predecessor) }),
      messageId: id,
      persistent: true,
      mandatory: true,
    })
    again.delete(record.sessionId)
    await options.onConfirmed(record.sessionId, record.revision)
    if (predecessor?.ended) await options.onConfirmed(predecessor.sessionId, predecessor.revision)
  }

  const due = (): SessionRecord[] => [
    ...options.unreported(),
    ...(again.size > 0 ? options.toldAndLive().filter(({ sessionId }) => again.has(sessionId)) : []),
  ]

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      woken = new Promise((resolve) => {
        wake = resolve
      })
      const waiting = due()
      const outcomes = await Promise.allSettled(waiting.map(publish))
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed) {
        options.logger.debug({ err: failed.reason, waiting: waiting.length }, 'reports are waiting for the broker')
        await delay(retryMs, undefined, { signal: stop.signal }).catch(() => undefined)
      } else if (due().length === 0) {
        await woken
      }
    }
  }
  const running = run()

  return {
    /** Some record has a new revision. */
    wake: () => wake(),
    /** Tells every session that goes on once more: while nothing was heard of this host, they may have been given up as lost. */
    repeat: (): void => {
      again.clear()
      for (const { sessionId } of options.toldAndLive()) again.add(sessionId)
      wake()
    },
    close: async (): Promise<void> => {
      stop.abort()
      wake()
      await running
    },
  }
}
