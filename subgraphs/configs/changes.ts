import { isDeepStrictEqual } from 'node:util'
import type { Database } from '../../lib/db/connect.ts'
import { type KeysetPage, pageOf, readPages } from '../../lib/db/page.ts'
import type { Transaction } from '../../lib/db/transaction.ts'

export const changeActions = ['CREATED', 'UPDATED', 'DELETED'] as const
export type ChangeAction = (typeof changeActions)[number]

/** A row of configs.changes: what somebody changed. */
export interface Change {
  id: string
  action: ChangeAction
  actor: string
  at: Date
  /** The fields that differ, as they were and as they are. */
  before: Record<string, unknown>
  after: Record<string, unknown>
}

export type SubjectKind = 'GAME' | 'GAME_CONFIG' | 'DEPLOYMENT'

type Fields = Readonly<Record<string, unknown>>

export interface NewChange {
  id: string
  kind: SubjectKind
  subjectId: string
  actor: string
  /** The whole as it was; null where it did not exist. */
  before: object | null
  /** The whole as it is; null where it was deleted. */
  after: object | null
}

/** Writes down a change in the transaction that makes it; one that changes nothing is none. */
export const recordChange = async (tx: Transaction, change: NewChange): Promise<void> => {
  const { before, after } = differing(shown(change.before), shown(change.after))
  if (Object.keys(before).length + Object.keys(after).length === 0 && change.after !== null) return
  await tx
    .insertInto('configs.changes')
    .values({
      id: change.id,
      subject_kind: change.kind,
      subject_id: change.subjectId,
      action: change.before === null ? 'CREATED' : change.after === null ? 'DELETED' : 'UPDATED',
      actor: change.actor,
      before: JSON.stringify(before),
      after: JSON.stringify(after),
    })
    .execute()
}

export const changesOf = (db: Database, subjectIds: readonly string[], page: KeysetPage): Promise<Map<string, Change[]>> =>
  readPages(db, subjectIds, page, (subjectId) =>
    pageOf(
      db
        .selectFrom('configs.changes')
        .select(['id', 'action', 'actor', 'at', 'before', 'after'])
        .$castTo<Change>()
        .where('subject_id', '=', subjectId),
      'id',
      page,
    ),
  )

/** What follows from a change, and is none of its own. */
const derived = new Set(['id', 'revision', 'deletedAt'])

/** Of secrets it is told that they are there, and nothing else: not even which ciphertext. */
const shown = (fields: object | null): Fields => {
  const { secrets, ...rest } = { ...fields } as { secrets?: object } & Record<string, unknown>
  const plain = Object.entries(rest).filter(([name]) => !derived.has(name))
  return { ...Object.fromEntries(plain), ...(secrets ? { secrets: Object.keys(secrets).sort() } : {}) }
}

const differing = (before: Fields, after: Fields): { before: Fields; after: Fields } => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const changed = names.filter((name) => !isDeepStrictEqual(before[name], after[name]))
  const pick = (fields: Fields): Fields =>
    Object.fromEntries(changed.flatMap((name) => (name in fields ? [[name, fields[name]]] : [])))
  return { before: pick(before), after: pick(after) }
}
