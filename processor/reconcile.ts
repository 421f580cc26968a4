import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Database } from '../lib/db/connect.ts'
import { addCommand } from '../lib/db/outbox.ts'
import { inTransaction, type Transaction } from '../lib/db/transaction.ts'
import { OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import { isUuid } from '../lib/domain/ids.ts'
import { compareSession, type Verdict } from '../lib/domain/reconciliation.ts'
import { isTerminal } from '../lib/domain/session-states.ts'
import type { CommandBody } from '../lib/messages/commands.ts'
import { readMessage, Unreadable } from '../lib/messages/envelope.ts'
import { type HeldSession, type HostReport, hostReportSchema } from '../lib/messages/host-report.ts'
import type { Logger } from '../lib/process/logger.ts'
import { type ComparedRow, isReplaced, lockRow, policyOf, rowsToCompare, writeGone } from './reconcile-rows.ts'
import { systemActor } from './system-actor.ts'

/** What was asked of a host is asked again only after this. */
const askAgainAfterMs = 60_000
/** A difference that was seen so long ago says nothing about the one seen now. */
const suspicionMs = 5 * 60_000
const maxRemembered = 10_000

type Act = Exclude<Verdict['kind'], 'agreed' | 'suspect'> | 'update'

/**
 * Compares what a host holds with the rows of its sessions, whenever the host tells all of it, and has both agree: what the
 * host has lost ends, what has ended is killed there, what was lost on the way is told or asked for again. Each act is a
 * transaction of its own that looks at the locked row once more.
 */
export const makeReconcile = ({ db, logger }: { db: Database; logger: Logger }) => {
  const counters: Record<Act | 'compared' | 'ignored', number> = {
    compared: 0,
    ignored: 0,
    gone: 0,
    kill: 0,
    stop: 0,
    tell: 0,
    update: 0,
  }
  const asked = new LRUCache<string, true>({ max: maxRemembered, ttl: askAgainAfterMs })
  const suspected = new LRUCache<string, string>({ max: maxRemembered, ttl: suspicionMs })
  /** Of each host the ended sessions that have a row: they need not be looked up every 30 s. */
  const settled = new LRUCache<string, string>({ max: maxRemembered })

  /** What is suspected counts from the second report on that says so. */
  const confirmed = (sessionId: string, verdict: Verdict, reportId: string): Act | null => {
    if (verdict.kind === 'agreed') suspected.delete(sessionId)
    if (verdict.kind === 'agreed') return null
    if (verdict.kind !== 'suspect') return verdict.kind
    const before = suspected.get(sessionId)
    if (before === undefined) suspected.set(sessionId, reportId)
    return before === undefined || before === reportId ? null : verdict.as
  }

  const act = async (subject: Subject, kind: Act): Promise<void> => {
    const key = `${kind} ${subject.sessionId}`
    if (asked.has(key)) return
    const done = await inTransaction(db, (tx) => carryOut(tx, subject, kind))
    if (!done) return
    if (kind !== 'gone') asked.set(key, true)
    counters[kind]++
    logger.warn({ serverId: subject.serverId, sessionId: subject.sessionId, act: kind }, 'host and rows differ')
  }

  const compare = async (serverId: string, report: HostReport): Promise<void> => {
    const held = new Map(report.sessions.map((one) => [one.sessionId, one]))
    const ended = report.sessions.filter(({ status }) => isTerminal(status)).map(({ sessionId }) => sessionId)
    const fingerprint = createHash('sha256').update(ended.join()).digest('base64')
    const isSettled = settled.get(`${serverId} ${report.after}`) === fingerprint
    const ids = report.sessions.filter(({ status }) => !isSettled || !isTerminal(status)).map(({ sessionId }) => sessionId)
    const rows = await rowsToCompare(db, serverId, report, [...ids, ...report.orphans])
    const rowOf = new Map(rows.map((row) => [row.id, row]))
    let isAgreed = true
    for (const sessionId of new Set([...ids, ...rows.map(({ id }) => id)])) {
      const one = held.get(sessionId)
      const row = rowOf.get(sessionId)
      const verdict = compareSession(row, one, report.appliedCommand)
      if (verdict.kind !== 'agreed') isAgreed = false
      const subject = { serverId, sessionId, held: one, appliedCommand: report.appliedCommand }
      const kind = confirmed(sessionId, verdict, report.id)
      if (kind) await act(subject, kind)
      else if (row && one?.adopted && !isTerminal(one.status) && !isTerminal(row.status)) await act(subject, 'update')
    }
    if (isAgreed) settled.set(`${serverId} ${report.after}`, fingerprint)
    for (const sessionId of report.orphans) {
      const row = rowOf.get(sessionId)
      if (row && isTerminal(row.status)) await act({ serverId, sessionId, held: undefined, appliedCommand: 0 }, 'kill')
    }
  }

  return {
    /** A full report of the host of `serverId`. Rejects when it could not be compared; comparing it twice is fine. */
    handle: async (serverId: string, content: Uint8Array): Promise<void> => {
      if (!isUuid(serverId)) throw new Unreadable('the routing key names no server')
      const report = readMessage(hostReportSchema, content)
      try {
        const isIgnored = await isReplaced(db, serverId, report.epoch)
        if (!isIgnored) await compare(serverId, report)
        counters[isIgnored ? 'ignored' : 'compared']++
      } catch (error) {
        // Compared twice it changes nothing twice, so that an uncertain commit is simply tried again.
        throw error instanceof OutcomeUnknown ? new Unavailable(error.message, { cause: error }) : error
      }
    },
    /** Since start: reports compared and ignored, and what was done about differences. */
    counters: () => ({ ...counters }),
  }
}

interface Subject {
  serverId: string
  sessionId: string
  held: HeldSession | undefined
  appliedCommand: number
}

/** Does it if the locked row still says so, and answers whether it did. The command comes last, as it locks the host's counter. */
const carryOut = async (tx: Transaction, subject: Subject, kind: Act): Promise<boolean> => {
  const { serverId, sessionId } = subject
  const row = await lockRow(tx, sessionId)
  if (row && row.serverId !== serverId) return false
  if (!isStillSo(row, subject, kind)) return false
  if (kind === 'gone') await writeGone(tx, row!)
  else await addCommand(tx, { serverId, actor: systemActor, body: await commandFor(tx, kind, sessionId, row) })
  return true
}

const commandFor = async (
  tx: Transaction,
  kind: Exclude<Act, 'gone'>,
  sessionId: string,
  row: ComparedRow | undefined,
): Promise<CommandBody> => {
  if (kind === 'tell') return { kind: 'session.report', sessionId, above: row?.revision ?? 0 }
  if (kind !== 'update') return { kind: `session.${kind}`, sessionId }
  const { serverGameConfigId } = row!
  return { kind: 'config.update', serverGameConfigId, ...(await policyOf(tx, serverGameConfigId)) }
}

/** What was read without a lock may have changed: a report that came meanwhile is newer than this one. */
const isStillSo = (row: ComparedRow | undefined, { held, appliedCommand }: Subject, kind: Act): boolean => {
  if (kind === 'update') return row !== undefined && !isTerminal(row.status)
  if (kind === 'kill' && !held) return row !== undefined && isTerminal(row.status)
  const verdict = compareSession(row, held, appliedCommand)
  return verdict.kind === kind || (verdict.kind === 'suspect' && verdict.as === kind)
}
