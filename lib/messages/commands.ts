import { z } from 'zod'
import { envelope } from './envelope.ts'
import { sessionSpecSchema } from './session-spec.ts'

/**
 * Commands: what the control plane wants done by a host. Durable, in order per host, applied once.
 * `number` counts 1, 2, 3 … per host without holes; a host ignores what is not above the highest number it has applied.
 */
const command = <Kind extends string, Body extends z.ZodRawShape>(kind: Kind, body: Body) =>
  envelope(kind, {
    number: z.number().int().positive(),
    /** Who asked: an actor id as the gateway signed it, or `system`. */
    actor: z.string(),
    sessionId: z.uuid(),
    ...body,
  })

export const sessionStartSchema = command('session.start', {
  serverGameConfigId: z.uuid(),
  environment: z.string(),
  spec: sessionSpecSchema,
})
export const sessionStopSchema = command('session.stop', {})
export const sessionKillSchema = command('session.kill', {})

export const commandSchema = z.discriminatedUnion('kind', [sessionStartSchema, sessionStopSchema, sessionKillSchema])
export type Command = z.infer<typeof commandSchema>

type BodyOf<C> = C extends Command ? Omit<C, 'version' | 'id' | 'at' | 'number' | 'actor'> : never
/** A command before the outbox numbers it. */
export type CommandBody = BodyOf<Command>
