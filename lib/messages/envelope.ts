import { z } from 'zod'

/** Version of the message format. Fields may be added without raising it; readers ignore what they don't know. */
export const messageVersion = 1

/** What every message has. `id` is a UUIDv7 and identifies the message through redelivery. */
export const envelope = <Kind extends string, Body extends z.ZodRawShape>(kind: Kind, body: Body) =>
  z.object({
    version: z.literal(messageVersion),
    id: z.uuid(),
    kind: z.literal(kind),
    /** RFC 3339, by the writer's clock. For people; never compared with another machine's clock. */
    at: z.iso.datetime(),
    ...body,
  })

/** The bytes are not a message this reader knows; the reason goes to the dead-letter queue with them. */
export class Unreadable extends Error {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options)
    this.name = 'Unreadable'
  }
}

/** Parses and checks a message's bytes; throws `Unreadable` with the path of each fault. */
export const readMessage = <Schema extends z.ZodType>(schema: Schema, content: Uint8Array): z.infer<Schema> => {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(content).toString('utf8'))
  } catch (error) {
    throw new Unreadable('not JSON', { cause: error })
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new Unreadable(parsed.error.issues.map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`).join('; '))
}

export const writeMessage = (message: object): Buffer => Buffer.from(JSON.stringify(message))
