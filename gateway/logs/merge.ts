import type { DocumentNode, FieldNode } from 'graphql'
import { selectedFields } from '../operation.ts'
import type { LogEvent } from './viewer.ts'

type Batch = Record<string, unknown>

/** Makes one batch of lines of several that follow each other. */
export type MergeBatches = (batches: readonly Batch[]) => Batch

const merges: Record<string, (values: readonly unknown[]) => unknown> = {
  lines: (values) => (values as unknown[][]).flat(),
  text: (values) => values.join('\n'),
  cursor: (values) => values.at(-1),
  // The same for all batches of lines.
  sessionId: ([value]) => value,
  gap: ([value]) => value,
  end: ([value]) => value,
  __typename: ([value]) => value,
}

/** Undefined when something is selected that can't be put together. */
export const makeMergeBatches = (document: DocumentNode, field: FieldNode): MergeBatches | undefined => {
  const selected = selectedFields(document, field.selectionSet)
  const names = new Map(selected.map(({ alias, name }) => [(alias ?? name).value, name.value]))
  const merged = [...names].flatMap(([key, name]) => (merges[name] ? [{ key, merge: merges[name] }] : []))
  if (merged.length < names.size) return undefined
  return (batches) => {
    const batch: Batch = {}
    // What a directive has left out of one is not in the others.
    for (const { key, merge } of merged) if (key in batches[0]!) batch[key] = merge(batches.map((one) => one[key]))
    return batch
  }
}

/** One event that says what those say; all but a single one have `merge`. */
export const mergeEvents = (events: readonly LogEvent[]): LogEvent => {
  const [first] = events
  if (events.length === 1 || !first?.merge) return first!
  return {
    ...first,
    result: first.merge(events.map(({ result }) => result)),
    cursor: events.at(-1)!.cursor,
    bytes: events.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
