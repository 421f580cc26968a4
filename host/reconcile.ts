import { setTimeout as delay } from 'node:timers/promises'
import { Unavailable } from '../lib/domain/errors.ts'
import { messageVersion, writeMessage } from '../lib/messages/envelope.ts'
import { type HostReport, sessionsPerReport } from '../lib/messages/host-report.ts'
import { exchanges, keys } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import { newId } from '../lib/process/new-id.ts'
import { backOffMs } from '../lib/process/retry.ts'
import type { Publisher } from '../lib/rabbit/publisher.ts'
import { adoptedRecord, lostLogNumbers } from './adopt.ts'
import type { Containers } from './docker/containers.ts'
import type { Networks } from './docker/networks.ts'
import type { LogStore } from './logs/store.ts'
import { orphansOf } from './orphans.ts'
import { type SessionRecord, statusOf } from './session-record.ts'
import type { SessionStore } from './session-store.ts'

const everyMs = 30_000
const backOff = { minMs: 250, maxMs: 15_000 }
/** Two later ones have said the same by then. */
const ttlMs = 60_000

const adoptedWords = 'This machine had lost its record of the session and has taken it up again from its container.'
const lostLogWords = `${adoptedWords} Its log was lost as well: what Docker still has of it follows, with new numbers.`

/**
 * Keeps three views of this machine's sessions the same: Docker's, the records' and the control plane's. At its start and
 * every 30 s it makes a record of each container that has run and has none, so that a lost file kills no game, and then tells
 * the control plane everything it holds. Without Docker it tells nothing: it could not say what it lacks.
 */
export const makeReconciler = (options: {
  serverId: string
  epoch: number
  environment: string
  containers: Pick<Containers, 'overview' | 'find'>
  networks: Pick<Networks, 'list'>
  store: SessionStore
  logs: LogStore
  /** Makes the record durable and has it brought about, unless there is one by now. */
  adopt: (record: SessionRecord) => Promise<void>
  publisher: Publisher
  logger: Logger
}) => {
  const { store, logger } = options
  const stop = new AbortController()
  let wake = (): void => undefined
  let isBlind = false
  let settleFirst: { resolve: () => void; reject: (error: Error) => void }
  const firstLook = new Promise<void>((resolve, reject) => {
    settleFirst = { resolve, reject }
  })
  firstLook.catch(() => undefined) // whoever waits for it is told

  const adopt = async (sessionId: string): Promise<void> => {
    const container = await options.containers.find(sessionId)
    if (!container || container.state === 'created' || store.get(sessionId)) return
    const nowMs = Date.now()
    const log = await options.logs.open(sessionId, lostLogNumbers(container, nowMs))
    await log.system(log.extent().lastSeq === 0 ? lostLogWords : adoptedWords)
    await options.adopt(adoptedRecord(container, { environment: options.environment, others: store.all(), nowMs }))
    logger.warn({ sessionId, state: container.state }, 'record was lost, adopted from the container')
  }

  /** Answers the sessions of which there is something and no record. */
  const look = async (): Promise<string[]> => {
    const knows = (sessionId: string): boolean => store.get(sessionId) !== undefined
    const containers = await options.containers.overview()
    const lost = containers.filter(({ sessionId, isCreated }) => !isCreated && !knows(sessionId))
    // The latest first: an earlier one of the same deployment then shows as followed.
    for (const { sessionId } of lost.toSorted((a, b) => (a.sessionId < b.sessionId ? 1 : -1))) await adopt(sessionId)
    settleFirst.resolve()
    const networks = (await options.networks.list()).map(({ sessionId, createdAt }) => ({
      sessionId,
      createdMs: Date.parse(createdAt),
    }))
    return orphansOf([...containers, ...networks], knows, Date.now())
  }

  const publish = async (part: Part): Promise<void> => {
    const id = newId()
    const message: HostReport = { version: messageVersion, id, kind: 'status.host', at: new Date().toISOString(), ...part }
    await options.publisher.publish({
      exchange: exchanges.reports,
      routingKey: keys.hostStatus(options.serverId),
      content: writeMessage(message),
      messageId: id,
      persistent: true,
      mandatory: true,
      expirationMs: ttlMs,
    })
  }

  /** Answers whether all of it was sent. */
  const tell = async (orphans: string[]): Promise<boolean> => {
    if (!options.publisher.connected()) return false
    // In one moment, so that what the watermark covers is all among the records.
    const [appliedCommand, records] = [store.appliedCommand(), store.all()]
    try {
      for (const part of partsOf({ epoch: options.epoch, appliedCommand, orphans }, records)) await publish(part)
      return true
    } catch (error) {
      logger.debug({ err: error }, 'full report not sent')
      return false
    }
  }

  const lookAndTell = async (): Promise<boolean> => {
    try {
      const orphans = await look()
      isBlind = false
      return await tell(orphans)
    } catch (error) {
      logger[isBlind ? 'debug' : 'warn']({ err: error }, 'the containers of this machine can not be looked at')
      isBlind = true
      return false
    }
  }

  const run = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      // Soon again, if not told: commands come in before reports go out, on a connection of their own.
      failures = (await lookAndTell()) ? 0 : failures + 1
      const pause = new AbortController()
      const ms = failures === 0 ? everyMs : backOffMs(backOff, failures)
      const rest = delay(ms, undefined, { signal: pause.signal }).catch(() => undefined) // ended when woken
      await Promise.race([woken.then(() => (failures = 0)), rest])
      pause.abort()
    }
  }
  const running = run()

  return {
    /**
     * Resolves once every container that has run has its record: only then may commands be applied, as a start that comes
     * a second time would be taken for a new one. Rejects with `Unavailable` at `close`.
     */
    firstLook: (): Promise<void> => firstLook,
    /** Looks and tells again, now. */
    wake: (): void => wake(),
    close: async (): Promise<void> => {
      stop.abort()
      settleFirst.reject(new Unavailable('The host ends.'))
      wake()
      await running
    },
  }
}

type Part = Omit<HostReport, 'version' | 'id' | 'kind' | 'at'>

/** The records in the order of their ids, so many in each part; the orphans in the first. Never empty. */
const partsOf = (head: Pick<Part, 'epoch' | 'appliedCommand' | 'orphans'>, records: readonly SessionRecord[]): Part[] => {
  const sessions = records
    .map((record) => {
      const { sessionId, revision, reported, adopted } = record
      return { sessionId, status: statusOf(record), revision, reported, adopted }
    })
    .toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1))
  const parts: Part[] = []
  for (let from = 0; from === 0 || from < sessions.length; from += sessionsPerReport) {
    const some = sessions.slice(from, from + sessionsPerReport)
    const isLast = from + sessionsPerReport >= sessions.length
    parts.push({
      ...head,
      orphans: from === 0 ? head.orphans : [],
      after: parts.at(-1)?.upTo ?? null,
      upTo: isLast ? null : (some.at(-1)?.sessionId ?? null),
      sessions: some,
    })
  }
  return parts
}
