import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf, readPages } from '../../lib/db/page.ts'

/** A row of sessions.action_runs. */
export interface ActionRun {
  id: string
  sessionId: string
  actionId: string
  /** As it was called then. */
  name: string
  values: Record<string, unknown>
  /** What was typed. */
  line: string
  actor: string
  at: Date
  writtenAt: Date | null
  error: string | null
}

type NewActionRun = Omit<ActionRun, 'at' | 'writtenAt' | 'error'>

export const insertActionRun = async (db: Database, run: NewActionRun): Promise<void> => {
  await db
    .insertInto('sessions.action_runs')
    .values({
      id: run.id,
      session_id: run.sessionId,
      action_id: run.actionId,
      name: run.name,
      values: JSON.stringify(run.values),
      line: run.line,
      actor: run.actor,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

export const writeActionRun = async (db: Database, id: string, end: Pick<ActionRun, 'writtenAt' | 'error'>): Promise<void> => {
  await db.updateTable('sessions.action_runs').set({ written_at: end.writtenAt, error: end.error }).where('id', '=', id).execute()
}

export const actionRunsOfSessions = (db: Database, ids: readonly string[], page: KeysetPage): Promise<Map<string, ActionRun[]>> =>
  readPages(db, ids, page, (sessionId) =>
    pageOf(
      db
        .selectFrom('sessions.action_runs')
        .select(['id', 'session_id as sessionId', 'action_id as actionId', 'name', 'values', 'line', 'actor', 'at'])
        .select(['written_at as writtenAt', 'error'])
        .$castTo<ActionRun>()
        .where('session_id', '=', sessionId),
      'id',
      page,
    ),
  )
