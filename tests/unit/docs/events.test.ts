import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type EventKind, eventSchemas } from '../../../lib/messages/events.ts'
import { eventReference, exampleOf, sectionOf } from '../../support/event-reference.ts'

const kinds = Object.keys(eventSchemas) as EventKind[]

/** Field → meaning, of the tables in a text. */
const fieldsIn = (text: string): [string, string][] =>
  [...text.matchAll(/^\| `(\w+)` \| [^|]* \| ([^|]*) \|$/gm)].map(([, name, meaning]) => [name!, meaning!])

/** What stands before the first event of its family: fields that all of them have. */
const sharedBy = (kind: EventKind): [string, string][] => {
  const heading = eventReference()
    .split(/^## /m)
    .find((text) => text.includes(`### ${kind}\n`))!
  return fieldsIn(heading.split(/^### /m)[0]!)
}

const ofEvery = fieldsIn(eventReference().split(/^## /m)[0]!).map(([name]) => name)

describe('docs/events.md', () => {
  it('describes each kind of event, and no other', () => {
    const sections = [...eventReference().matchAll(/^### (.+)$/gm)].map((match) => match[1])
    expect(sections).toEqual(kinds)
  })

  it.each(kinds)('has every field of %s with its meaning, and an example that is one', (kind) => {
    const { shape } = eventSchemas[kind]
    const own = Object.entries<z.ZodType>(shape).filter(([name]) => !ofEvery.includes(name))
    const described = new Map([...sharedBy(kind), ...fieldsIn(sectionOf(kind))])
    expect(described).toEqual(new Map(own.map(([name, field]) => [name, field.description])))
    expect(z.strictObject(shape).parse(exampleOf(kind))).toEqual(exampleOf(kind))
  })
})
