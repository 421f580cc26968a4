import { sql } from 'kysely'
import { openOperation } from '../lib/db/operations.ts'
import { finishSession } from '../lib/db/session-life.ts'
import type { Transaction } from '../lib/db/transaction.ts'
import { Unavailable } from '../lib/domain/errors.ts'
import { decideReport } from '../lib/domain/session-reports.ts'
import { isTerminal } from '../lib/domain/session-states.ts'
import type { SessionReport } from '../lib/messages/statuses.ts'
import { lockSession, type SessionRow, writeReport } from './session-rows.ts'

/** The report of the session before may be on its way, beside this one. */
export class UnknownPredecessor extends Unavailable {}

const forgotten = 'It ended while its host could not tell, and was started again.'

/** Who asks for what a host begins by its restart policy. */
const hostActor = 'host'

/**
 * A host tells that it has started a session again by itself: ends the one before, as the same report says, and makes the
 * row of the one that continues it, in one transaction, so that nobody sees the deployment without a session in between.
 * A session that is known already is left to its report. Where the deployment has another session by now, or the end was
 * asked for, the new one is entered as ended: its next sign of life is then answered with a kill. Throws
 * `UnknownPredecessor` when the one before is not known.
 */
export const continueSession = async (tx: Transaction, speaker: string, report: SessionReport): Promise<void> => {
  const { restart } = report
  if (!restart) return
  const before = await lockSession(tx, restart.of)
  if (!before) throw new UnknownPredecessor(`The session ${restart.of}, which ${report.sessionId} continues, is not known yet.`)
  if (before.serverId !== speaker || before.serverGameConfigId !== restart.serverGameConfigId) return
  const known = await lockSession(tx, report.sessionId)
  if (known) return
  await endPredecessor(tx, speaker, before, report)
  const taken = await isTaken(tx, before)
  await insertSuccessor(tx, before, report, taken)
  if (!taken)
    await openOperation(tx, { serverGameConfigId: before.serverGameConfigId, kind: 'SESSION', subjectId: report.sessionId })
}

const endPredecessor = async (
  tx: Transaction,
  speaker: string,
  before: SessionRow,
  { restart }: SessionReport,
): Promise<void> => {
  if (isTerminal(before.status)) return
  const told = restart?.previous
  const decision = told ? decideReport(before, speaker, told) : undefined
  if (decision?.kind === 'apply' && isTerminal(decision.session.status)) return writeReport(tx, before, decision.session)
  // The host has forgotten how it ended, or never knew: that it did is certain, as another one runs in its place.
  await tx
    .updateTable('sessions.sessions')
    .set({ status: 'STOPPED', ended_at: before.now, end_reason: 'HOST_RESTARTED', end_message: forgotten })
    .where('id', '=', before.id)
    .execute()
  await finishSession(tx, before, before.now)
}

/** The deployment has a live session: a person was quicker than the host's report, or one that waited has begun. */
const isTaken = async (tx: Transaction, { serverGameConfigId }: SessionRow): Promise<boolean> => {
  const live = await tx
    .selectFrom('sessions.sessions')
    .select('id')
    .where('server_game_config_id', '=', serverGameConfigId)
    .where('status', 'not in', ['STOPPED', 'CRASHED', 'FAILED'])
    .executeTakeFirst()
  return live !== undefined
}

const insertSuccessor = (tx: Transaction, before: SessionRow, report: SessionReport, taken: boolean) =>
  sql`
    INSERT INTO sessions.sessions (id, server_game_config_id, server_id, spec, start_deadline, created_by,
      parameters, given_parameters, given_secrets, config_revision, deployment_revision, kind,
      restart_of, collapsed_restarts, stop_requested_at, stop_requested_by, status, ended_at, end_reason)
    SELECT ${report.sessionId}, server_game_config_id, server_id, spec, now() + interval '10 minutes', ${hostActor},
      parameters, given_parameters, given_secrets, config_revision, deployment_revision, kind,
      id, ${report.restart?.collapsed ?? 0}, stop_requested_at, stop_requested_by,
      ${taken ? 'STOPPED' : 'PENDING'}, ${taken ? sql`now()` : sql`NULL`}, ${taken ? 'CANCELLED' : null}
    FROM sessions.sessions WHERE id = ${before.id}`.execute(tx)
