import type { Database } from '../lib/db/connect.ts'
import { sendLanes, type UnsentMessage } from '../lib/db/outbox.ts'
import { writeMessage } from '../lib/messages/envelope.ts'
import { exchanges, speakerOf } from '../lib/messages/routing.ts'
import type { Topology } from '../lib/rabbit/kept-topology.ts'
import { type OutgoingMessage, type Publisher, Unroutable } from '../lib/rabbit/publisher.ts'

/** Messages sent under one claim. */
const batchSize = 200
/** A claim holds a transaction open, so that it ends well before the database would end it. */
const batchLimitMs = 5_000

export interface LaneOutcome {
  /** Confirmed by the broker and marked sent. */
  published: number
  /** Marked sent unpublished: their time was over. The sweep ends the session that such a start was for. */
  expired: number
  /** What stopped the lane, if something did. */
  failure?: Error
}

interface LaneDeps {
  db: Database
  publisher: Publisher
  topology: Topology
  stop: AbortSignal
}

/**
 * Publishes the unsent messages of lanes, which are claimed together: lanes side by side, and in each a message once the one
 * before is confirmed, so that a command never overtakes another, also when the other one is returned or refused. Null for a
 * lane that another relay has.
 * What is confirmed and not marked (a crash in between) is published again by the next one, with the same id.
 */
export const publishLanes = async (
  deps: LaneDeps,
  lanes: readonly string[],
): Promise<ReadonlyMap<string, LaneOutcome | null>> => {
  const outcomes = new Map(lanes.map((lane): [string, LaneOutcome] => [lane, { published: 0, expired: 0 }]))
  const { claimed } = await sendLanes(deps.db, lanes, batchSize, async (messages) => {
    const done = await Promise.all([...byLane(messages)].map(([lane, own]) => sendInTurn(deps, own, outcomes.get(lane)!)))
    return done.flat()
  })
  return new Map(lanes.map((lane) => [lane, claimed.includes(lane) ? outcomes.get(lane)! : null]))
}

const byLane = (messages: readonly UnsentMessage[]): ReadonlyMap<string, UnsentMessage[]> => {
  const lanes = new Map<string, UnsentMessage[]>()
  for (const message of messages) lanes.set(message.lane, [...(lanes.get(message.lane) ?? []), message])
  return lanes
}

/** Answers the ids of those that are done with, and counts them in `outcome`; ends at the first that fails. */
const sendInTurn = async (deps: LaneDeps, messages: UnsentMessage[], outcome: LaneOutcome): Promise<string[]> => {
  const startedAt = performance.now()
  const done: string[] = []
  try {
    for (const message of messages) {
      const elapsedMs = performance.now() - startedAt
      if (elapsedMs > batchLimitMs || deps.stop.aborted) break
      const leftMs = (message.expiresInMs ?? Number.POSITIVE_INFINITY) - elapsedMs
      if (leftMs > 0) await publish(deps, message, leftMs)
      outcome[leftMs > 0 ? 'published' : 'expired']++
      done.push(message.id)
    }
  } catch (error) {
    outcome.failure = error as Error
  }
  return done
}

const publish = async (deps: LaneDeps, message: UnsentMessage, leftMs: number): Promise<void> => {
  const outgoing: OutgoingMessage = {
    exchange: message.exchange,
    routingKey: message.routingKey,
    content: writeMessage(message.body),
    messageId: message.id,
    persistent: message.durable,
    mandatory: message.exchange === exchanges.commands, // events go to whoever listens
    ...(Number.isFinite(leftMs) ? { expirationMs: leftMs } : {}),
  }
  try {
    await deps.publisher.publish(outgoing)
  } catch (error) {
    const serverId = speakerOf(message.routingKey)
    if (!(error instanceof Unroutable) || serverId === undefined) throw error
    // The first command for a host, or a broker that has lost its queues.
    await deps.topology.declareHost(serverId)
    await deps.publisher.publish(outgoing)
  }
}
