import { sql } from 'kysely'
import type { Transaction } from '../lib/db/transaction.ts'
import type { SeenSession } from '../lib/schedules/plan.ts'

/** Sessions, as schedules and moves look at them. */
export const seenSessions = (tx: Transaction) =>
  tx
    .selectFrom('sessions.sessions')
    .select(['id', 'status', 'started_at as startedAt', 'end_message as endMessage'])
    .select(sql<boolean>`ready_at IS NOT NULL OR spec ->> 'readyPattern' IS NULL`.as('ready'))
    .$castTo<SeenSession>()
