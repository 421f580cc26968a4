import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { z } from 'zod'
import { readMessage, Unreadable, writeMessage } from '../../../lib/messages/envelope.ts'
import { fromSchema } from '../from-schema.ts'
import { anyText, nearly, nearlyValue } from '../mutate.ts'
import { holds, makeTarget, orRefused } from '../target.ts'

const folder = join(import.meta.dirname, '../../../lib/messages')
const modules = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .map((name): Promise<object> => import(join(folder, name)))
const exported = (await Promise.all(modules)).flatMap((module) => Object.entries(module))

/** Everything that lib/messages can read: its exported schemas, and those it keeps by kind; by a name for people. */
const schemas = new Map<string, z.ZodType>()
for (const [name, one] of exported) {
  const inner = one instanceof z.ZodType || typeof one !== 'object' || one === null ? [[name, one]] : Object.entries(one)
  for (const [key, schema] of inner) if (schema instanceof z.ZodType) schemas.set(`${name}/${key}`, schema)
}
holds(schemas.size > 60, `lib/messages has its schemas (found ${schemas.size})`)

interface Case {
  name: string
  /** Each character is a byte. */
  content: string
  isGood: boolean
}

const ofOne = ([name, schema]: [string, z.ZodType]): fc.Arbitrary<Case> => {
  const good = fromSchema(schema)
  const text = (value: unknown): string => JSON.stringify(value) ?? 'null'
  const made = (content: fc.Arbitrary<string>, isGood = false) =>
    content.map((json) => ({ name, content: Buffer.from(json).toString('latin1'), isGood }))
  const bytes = fc.string({ unit: fc.nat(255).map((byte) => String.fromCharCode(byte)), maxLength: 200 })
  return fc.oneof(
    { weight: 2, arbitrary: made(good.map(text), true) },
    { weight: 6, arbitrary: made(nearlyValue(good).map(text)) },
    { weight: 3, arbitrary: made(nearly(good.map(text))) },
    { weight: 1, arbitrary: made(fc.oneof(fc.json(), anyText)) },
    { weight: 1, arbitrary: bytes.map((content) => ({ name, content, isGood: false })) },
  )
}

const isPlain = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return true
  const prototype = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || Array.isArray(value)) && Object.values(value).every(isPlain)
}

/** A message is read or `Unreadable`, in words that hold on one line; what was read is written and read the same. */
export const messages = makeTarget('messages', fc.oneof(...[...schemas].map(ofOne)), ({ name, content, isGood }) => {
  const schema = schemas.get(name)!
  const read = orRefused(() => readMessage(schema, Buffer.from(content, 'latin1')), [Unreadable])
  if (read === 'refused') {
    holds(!isGood, 'a good message is read')
    return read
  }
  holds(isPlain(read.result), 'what was read is made of plain objects')
  const written = writeMessage(read.result as object)
  holds(writeMessage(readMessage(schema, written) as object).equals(written), 'what was written is read the same')
  return 'accepted'
})
