import type { AuditOutcome } from '../../lib/db/audit.ts'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf } from '../../lib/db/page.ts'
import type { Role } from '../../lib/domain/roles.ts'
import type { Context } from '../context.ts'

/** A row of accounts.audit_events. */
export interface AuditEvent {
  id: string
  at: Date
  actor: string
  actorKind: Context['identity']['kind']
  userId: string | null
  role: Role | null
  mutation: string
  input: unknown
  address: string | null
  agent: string | null
  outcome: AuditOutcome | null
  code: string | null
  endedAt: Date | null
}

/** Every given field narrows. */
export interface AuditFilter {
  /** What rows call them; a user's id finds what their API tokens did as well. */
  actor?: string | null | undefined
  mutation?: string | null | undefined
  outcome?: AuditOutcome | null | undefined
  since?: Date | null | undefined
  until?: Date | null | undefined
}

export const auditPage = (db: Database, page: KeysetPage, filter: AuditFilter): Promise<AuditEvent[]> => {
  const { actor, mutation, outcome, since, until } = filter
  let query = db
    .selectFrom('accounts.audit_events')
    .select([
      'id',
      'at',
      'actor',
      'actor_kind as actorKind',
      'user_id as userId',
      'role',
      'mutation',
      'input',
      'address',
      'agent',
      'outcome',
      'code',
      'ended_at as endedAt',
    ])
  if (actor != null) query = query.where((eb) => eb.or([eb('actor', '=', actor), eb('user_id', '=', actor)]))
  if (mutation != null) query = query.where('mutation', '=', mutation)
  if (outcome === 'UNKNOWN') query = query.where((eb) => eb.or([eb('outcome', 'is', null), eb('outcome', '=', outcome)]))
  else if (outcome != null) query = query.where('outcome', '=', outcome)
  if (since != null) query = query.where('at', '>=', since)
  if (until != null) query = query.where('at', '<', until)
  return pageOf(query, 'id', page).$castTo<AuditEvent>().execute()
}
