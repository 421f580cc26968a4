import { LRUCache } from 'lru-cache'
import type { Database } from '../lib/db/connect.ts'
import { addCommand } from '../lib/db/outbox.ts'
import { inTransaction, isViolationOf, type Transaction } from '../lib/db/transaction.ts'
import { Conflict, OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import { decideReport, type ReportDecision } from '../lib/domain/session-reports.ts'
import type { EndReason } from '../lib/domain/session-states.ts'
import { readMessage } from '../lib/messages/envelope.ts'
import { queues, topicOf } from '../lib/messages/routing.ts'
import { type SessionReport, sessionStatusSchema } from '../lib/messages/statuses.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { type IncomingMessage, makeConsumer } from '../lib/rabbit/consumer.ts'
import type { Believe } from '../lib/rabbit/speaker.ts'
import { declareTopology, type QueueType } from '../lib/rabbit/topology.ts'
import { makeBackupReports } from './backup-reports.ts'
import { makeReconcile } from './reconcile.ts'
import { continueSession, UnknownPredecessor } from './restarts.ts'
import { lockSession, writeReport } from './session-rows.ts'
import { systemActor } from './system-actor.ts'

const reportsAtOnce = 50
/** A session that goes on reporting is told to end once in this time, not at every report. */
const killAgainAfterMs = 60_000
const maxRemembered = 10_000
/** Reports that continue an unknown session are tried so often, a second apart. */
const maxTries = 30

/**
 * Brings what hosts report of their sessions into the database: each report changes a row once, whatever the order they come
 * in, and is acknowledged once that is committed. Reports that change nothing are counted.
 */
export const makeStatuses = (options: {
  db: Database
  rabbit: Rabbit
  queueType: QueueType
  believe: Believe
  logger: Logger
}) => {
  const { db, logger } = options
  const counters: Record<ReportDecision['kind'], number> = { apply: 0, stale: 0, undead: 0, illegal: 0, unknown: 0 }
  /** Sessions that were reported to have ended, by why. */
  const endings: Partial<Record<EndReason, number>> = {}
  /** Sessions told to end, and the report that was answered so. */
  const killed = new LRUCache<string, string>({ max: maxRemembered, ttl: killAgainAfterMs })

  /** Reports that wait for the one before theirs, and how often they were tried. */
  const tried = new LRUCache<string, number>({ max: maxRemembered, ttl: 2 * maxTries * 1_000 })

  const follow = async (tx: Transaction, speaker: string, report: SessionReport): Promise<void> => {
    const tries = (tried.get(report.id) ?? 0) + 1
    try {
      await continueSession(tx, speaker, report)
    } catch (error) {
      if (!(error instanceof UnknownPredecessor)) throw error
      tried.set(report.id, tries)
      if (tries < maxTries) throw error
    }
  }

  const apply = async (tx: Transaction, speaker: string, report: SessionReport): Promise<ReportDecision> => {
    await follow(tx, speaker, report)
    const row = await lockSession(tx, report.sessionId)
    const decision = decideReport(row, speaker, report)
    if (row && decision.kind === 'apply') await writeReport(tx, row, decision.session)
    if (decision.kind === 'undead') await kill(tx, speaker, report)
    return decision
  }

  const kill = async (tx: Transaction, serverId: string, { id, sessionId }: SessionReport): Promise<void> => {
    const answered = killed.get(sessionId)
    if (answered !== undefined && answered !== id) return
    killed.set(sessionId, id)
    await addCommand(tx, { serverId, actor: systemActor, body: { kind: 'session.kill', sessionId } })
  }

  const reconcile = makeReconcile({ db, logger })
  const backups = makeBackupReports({ db, logger })

  const handle = async (message: IncomingMessage): Promise<void> => {
    const speaker = await options.believe(message)
    const topic = topicOf(message.routingKey)
    if (topic === 'host') return reconcile.handle(speaker, message.content)
    if (topic === 'backup' || topic === 'restore') return backups[topic](speaker, message.content)
    const report = readMessage(sessionStatusSchema, message.content)
    try {
      const decision = await inTransaction(db, (tx) => apply(tx, speaker, report))
      counters[decision.kind]++
      const ending = decision.kind === 'apply' ? decision.session.endReason : null
      if (ending) endings[ending] = (endings[ending] ?? 0) + 1
      tell(logger, decision, { serverId: speaker, sessionId: report.sessionId, status: report.status, revision: report.revision })
    } catch (error) {
      if (killed.get(report.sessionId) === report.id) killed.delete(report.sessionId)
      // A report applied twice changes the row once, so that an uncertain commit is simply tried again.
      throw isWorthAnotherTry(error) ? new Unavailable((error as Error).message, { cause: error }) : error
    }
  }

  const consumer = makeConsumer({
    rabbit: options.rabbit,
    name: 'statuses',
    logger,
    queue: async (channel) => {
      await declareTopology(channel, options.queueType)
      return queues.statuses
    },
    prefetch: reportsAtOnce,
    handle,
  })

  return {
    consuming: consumer.consuming,
    /** Reports since start, by what became of them. */
    counters: () => ({ ...counters }),
    /** Sessions that were reported to have ended since start, by their `endReason`. */
    endings: () => ({ ...endings }),
    /** Full reports since start, and what was done about differences. */
    reconciled: reconcile.counters,
    /** Reports of backups and restores since start, by what became of them. */
    ofBackups: backups.counters,
    close: consumer.close,
  }
}

/** The outcome of the commit is not known, or a person's start took the deployment in the same moment. */
const isWorthAnotherTry = (error: unknown): boolean =>
  error instanceof OutcomeUnknown || error instanceof Conflict || isViolationOf(error, 'one_live_session_per_deployment')

const tell = (logger: Logger, decision: ReportDecision, report: object): void => {
  if (decision.kind === 'apply' || decision.kind === 'stale') logger.debug({ ...report, decision: decision.kind }, 'report')
  else logger.warn({ ...report, ...decision }, 'report not applied')
}
