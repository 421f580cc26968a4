import { sql } from 'kysely'
import type { Database } from './connect.ts'
import type { Transaction } from './transaction.ts'

/** What somebody asks for. */
export interface AuditEntry {
  id: string
  actor: string
  actorKind: string
  userId: string | null
  role: string | null
  mutation: string
  /** Its arguments, without what is secret; fit for a jsonb column. */
  input: unknown
  address: string | null
  agent: string | null
}

const rowOf = ({ id, actor, actorKind, userId, role, mutation, input, address, agent }: AuditEntry) => ({
  ...{ id, actor, role, mutation, address, agent },
  actor_kind: actorKind,
  user_id: userId,
  input: JSON.stringify(input),
})

export const auditOutcomes = ['OK', 'REFUSED', 'UNKNOWN', 'FAILED'] as const
export type AuditOutcome = (typeof auditOutcomes)[number]

/** Writes that it is asked for; committed when this resolves, so that nothing is done without a row. */
export const beginAudit = async (db: Database, entry: AuditEntry): Promise<void> => {
  await db.insertInto('accounts.audit_events').values(rowOf(entry)).execute()
}

/** Tells of what has happened already, once for each id. */
export const noteAudit = async (db: Database, entry: AuditEntry): Promise<void> => {
  await db
    .insertInto('accounts.audit_events')
    .values({ ...rowOf(entry), outcome: 'OK', ended_at: sql`now()` })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

/** Adds what came of it, once. */
export const endAudit = async (db: Database, id: string, outcome: AuditOutcome, code: string | null): Promise<void> => {
  await db
    .updateTable('accounts.audit_events')
    .set({ outcome, code, ended_at: sql`now()` })
    .where('id', '=', id)
    .where('outcome', 'is', null)
    .execute()
}

/** Removes entries older than so many days; at most `limit` at once. Returns how many. */
export const purgeAudit = async (tx: Transaction, days: number, limit: number): Promise<number> => {
  // The trigger lets nobody delete who does not say that it is this.
  await sql`SET LOCAL manman.audit_retention = 'on'`.execute(tx)
  const result = await tx
    .deleteFrom('accounts.audit_events')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('accounts.audit_events')
        .select('id')
        .where('at', '<', sql<Date>`now() - make_interval(days => ${days})`)
        .limit(limit),
    )
    .executeTakeFirst()
  await sql`SET LOCAL manman.audit_retention = 'off'`.execute(tx)
  return Number(result.numDeletedRows)
}
