import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { EventKind } from '../../lib/messages/events.ts'

/** docs/events.md, as its readers have it. */
export const eventReference = (): string => readFileSync(resolve(import.meta.dirname, '../../docs/events.md'), 'utf8')

/** The part of the reference about one kind of event. */
export const sectionOf = (kind: EventKind): string => {
  const section = eventReference()
    .split(/^##+ /m)
    .find((text) => text.startsWith(`${kind}\n`))
  if (section === undefined) throw new Error(`docs/events.md has no section ### ${kind}`)
  return section
}

/** The example that the reference gives of one kind of event. */
export const exampleOf = (kind: EventKind): Record<string, unknown> => {
  const block = /^```json\n(.*?)^```$/ms.exec(sectionOf(kind))
  if (!block) throw new Error(`docs/events.md has no example of ${kind}`)
  return JSON.parse(block[1]!)
}
