import { type DeadLetterSummary, droppedDeadLetters, findDeadLetter, listDeadLetters } from '../../lib/db/dead-letters.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { printable, printableJson } from '../../lib/domain/printable.ts'
import { inColumns } from '../columns.ts'
import { type DeadLetterAccess, missing } from './access.ts'
import { safeContent } from './safe-text.ts'

/** Prints all letters, the oldest first, and how many are there no more. */
export const list = async ({ db }: DeadLetterAccess, asJson: boolean): Promise<void> => {
  const found = await listDeadLetters(db)
  if (asJson) return console.log(printableJson(found))
  if (found.length === 0) console.log('No dead letters.')
  else console.log(inColumns([['ID', 'WHEN', 'FROM', 'KIND', 'BYTES', 'REASON'], ...found.map(rowOf)]))
  const dropped = await droppedDeadLetters(db)
  if (dropped)
    console.log(`${dropped.letters} older ones were dropped to make room, the last ones at ${dropped.lastAt.toISOString()}.`)
}

const rowOf = ({ id, diedAt, queue, kind, bytes, reason }: DeadLetterSummary): string[] =>
  [id, diedAt.toISOString(), queue || '?', kind ?? '?', String(bytes), reason].map(printable)

/** Prints one letter, whole. */
export const show = async ({ db }: DeadLetterAccess, id: string, asJson: boolean): Promise<void> => {
  const letter = isUuid(id) ? await findDeadLetter(db, id) : undefined
  if (!letter) throw missing(id)
  const { content, ...rest } = letter
  if (asJson) return console.log(printableJson({ ...rest, contentBase64: content.toString('base64') }))
  const { diedAt, queue, exchange, routingKey, messageId, kind, reason, attempts } = letter
  const facts = [
    ['id', id],
    ['died', diedAt.toISOString()],
    ['from', `${queue || 'nobody knows'} (published to ${exchange || 'the queue'} as ${routingKey})`],
    ['message', `${messageId ?? 'without an id'}, kind ${kind ?? 'unknown'}, ${content.length} bytes`],
    ['reason', reason],
    ['attempts', String(attempts)],
  ]
  console.log(inColumns(facts.map((row) => row.map(printable))))
  console.log(`\n${safeContent(content)}`)
}
