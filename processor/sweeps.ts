import { purgeAudit } from '../lib/db/audit.ts'
import type { Database } from '../lib/db/connect.ts'
import { addCommand, purgeSent } from '../lib/db/outbox.ts'
import { inTransaction, type Transaction, tryLock } from '../lib/db/transaction.ts'
import { queues } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Topology } from '../lib/rabbit/kept-topology.ts'
import { heardMs, makeListening } from './listening.ts'
import { startLoop } from './loop.ts'
import { writeSilent } from './server-rows.ts'
import { lockLost, lockPastDeadline, writeDeadlinePassed, writeLost } from './session-rows.ts'
import { systemActor } from './system-actor.ts'
import type { Timings } from './timings.ts'

const perSweep = 100
const purgeEveryMs = 60_000
const keepSentMs = 24 * 60 * 60 * 1_000
const perPurge = 1_000
const purgesAtOnce = 20
const auditRetentionDays = 365

/**
 * What happens because something did not: servers not heard of become STALE and OFFLINE, sessions not begun by their
 * deadline FAILED, sent messages of the outbox go after a day, the audit when its time is over. One processor sweeps at a
 * time. A processor that could not hear (asleep, without broker or database, or with reports still unread) declares nobody
 * dead.
 */
export const startSweeps = (options: {
  db: Database
  topology: Topology
  heartbeats: { consuming: () => boolean }
  statuses: { consuming: () => boolean }
  logger: Logger
  timings: Timings
  auditRetentionDays?: number
}) => {
  const { db, topology, logger, timings } = options
  const heartbeats = makeListening(options.heartbeats.consuming)
  const reports = makeListening(options.statuses.consuming)
  const counters = { stale: 0, offline: 0, lost: 0, deadlinePassed: 0, purged: 0 }
  let purgedAtMs = Number.NEGATIVE_INFINITY

  const sweepServers = async (): Promise<void> => {
    const ms = await heardMs(heartbeats, topology, queues.health)
    if (ms < timings.staleAfterMs) return
    const offlineAfterMs = ms < timings.offlineAfterMs ? Number.POSITIVE_INFINITY : timings.offlineAfterMs
    const changed = await alone(db, (tx) => writeSilent(tx, { ...timings, offlineAfterMs }, perSweep))
    for (const { id, status } of changed ?? []) {
      counters[status === 'OFFLINE' ? 'offline' : 'stale']++
      logger.warn({ serverId: id, status }, 'server not heard of')
    }
  }

  // Silence of a host means nothing to who has not listened to it for the whole threshold.
  const sweepLost = async (): Promise<void> => {
    if ((await heardMs(heartbeats, topology, queues.health)) < timings.lostAfterMs) return
    if ((await heardMs(reports, topology, queues.statuses)) < timings.settleMs) return
    const lost = await alone(db, async (tx) => {
      const rows = await lockLost(tx, timings.lostAfterMs, perSweep)
      for (const row of rows) await writeLost(tx, row)
      return rows.map((row) => row.id)
    })
    for (const sessionId of lost ?? []) {
      counters.lost++
      logger.warn({ sessionId }, 'session lost: its host has not been heard of')
    }
  }

  // Who has not heard the reports for a while can judge only those sessions whose start was never sent.
  const sweepSessions = async (): Promise<void> => {
    const onlyUnsent = (await heardMs(reports, topology, queues.statuses)) < timings.settleMs
    const failed = await alone(db, (tx) =>
      failPastDeadline(tx, { graceMs: timings.deadlineGraceMs, limit: perSweep, onlyUnsent }),
    )
    for (const sessionId of failed ?? []) {
      counters.deadlinePassed++
      logger.warn({ sessionId }, 'session not begun before its deadline')
    }
  }

  const purge = async (): Promise<void> => {
    if (performance.now() - purgedAtMs < purgeEveryMs) return
    for (let round = 0; round < purgesAtOnce; round++) {
      const purged = await alone(db, (tx) => purgeSent(tx, new Date(Date.now() - keepSentMs), perPurge))
      if (purged === undefined) return
      purgedAtMs = performance.now()
      counters.purged += purged
      if (purged < perPurge) break
    }
    const days = options.auditRetentionDays ?? auditRetentionDays
    for (let round = 0; round < purgesAtOnce; round++) {
      if (((await alone(db, (tx) => purgeAudit(tx, days, perPurge))) ?? 0) < perPurge) return
    }
  }

  const work = async (): Promise<void> => {
    try {
      await sweepServers()
      await sweepLost()
      await sweepSessions()
      await purge()
    } catch (error) {
      // Without the database what others have heard is not written either: they get the whole threshold to catch up.
      heartbeats.interrupt()
      reports.interrupt()
      throw error
    }
  }
  const loop = startLoop({ name: 'sweeps', everyMs: timings.sweepEveryMs, work, logger })

  return {
    /** Since start: servers declared STALE and OFFLINE, sessions FAILED by deadline, outbox messages removed. */
    counters: () => ({ ...counters }),
    /** True unless the last one failed: then what it failed with. */
    works: loop.works,
    close: loop.close,
  }
}

/** Runs `work` in a transaction that no other processor's sweep runs beside; undefined when one does. */
const alone = <T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T | undefined> =>
  inTransaction(db, async (tx) => ((await tryLock(tx, 'sweeps')) ? work(tx) : undefined))

const failPastDeadline = async (tx: Transaction, options: Parameters<typeof lockPastDeadline>[1]): Promise<string[]> => {
  const rows = await lockPastDeadline(tx, options)
  for (const row of rows) await writeDeadlinePassed(tx, row)
  // Behind the start, on the same ordered queue, for a host that has it after all. Last, as it locks the hosts' counters;
  // in one order, as mutations and other sweeps lock them too.
  for (const row of rows.toSorted((a, b) => (a.serverId < b.serverId ? -1 : 1))) {
    await addCommand(tx, { serverId: row.serverId, actor: systemActor, body: { kind: 'session.stop', sessionId: row.id } })
  }
  return rows.map((row) => row.id)
}
