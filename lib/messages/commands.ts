import { z } from 'zod'
import { backupOrder, restoreOrder } from './backups.ts'
import { envelope } from './envelope.ts'
import { registryAuthSchema, restartPolicySchema, sessionSpecSchema, stopProcedureSchema } from './session-spec.ts'

/**
 * Commands: what the control plane wants done by a host. Durable, in order per host, applied once.
 * `number` counts 1, 2, 3 … per host without holes; a host ignores what is not above the highest number it has applied.
 */
const command = <Kind extends string, Body extends z.ZodRawShape>(kind: Kind, body: Body) =>
  envelope(kind, {
    number: z.number().int().positive(),
    /** Who asked: an actor id as the gateway signed it, or `system`. */
    actor: z.string(),
    ...body,
  })

export const sessionStartSchema = command('session.start', {
  sessionId: z.uuid(),
  serverGameConfigId: z.uuid(),
  environment: z.string(),
  spec: sessionSpecSchema,
  registryAuth: registryAuthSchema.nullable().default(null),
  restartPolicy: restartPolicySchema.default({ mode: 'NEVER', maxRetries: 0, windowSeconds: 1 }),
  /** After a reboot, games start again in this order, lowest first. */
  priority: z.number().int().default(100),
})
export const sessionStopSchema = command('session.stop', { sessionId: z.uuid() })
export const sessionKillSchema = command('session.kill', { sessionId: z.uuid() })
/** The host is to tell of this session again, with a revision above `above`; its next full report says if it holds it no more. */
export const sessionTellSchema = command('session.report', { sessionId: z.uuid(), above: z.number().int().nonnegative() })
/** A deployment's stop procedure, restart policy or priority has changed: they count for its running session as well. */
export const configUpdateSchema = command('config.update', {
  serverGameConfigId: z.uuid(),
  stop: stopProcedureSchema,
  restartPolicy: restartPolicySchema,
  priority: z.number().int().optional(),
})

export const backupCreateSchema = command('backup.create', backupOrder)
export const backupRestoreSchema = command('backup.restore', restoreOrder)
/** A backup or restore that was given up: what of it is under way ends, leaving everything as it was. Ended is success. */
export const backupCancelSchema = command('backup.cancel', { jobId: z.uuid(), reason: z.string() })
/** The deployment is at home elsewhere: its volumes here go. Refused by the host while a container of it lives. */
export const volumeDiscardSchema = command('volume.discard', {
  serverGameConfigId: z.uuid(),
  environment: z.string(),
})

/** New credentials for the broker, sealed to the host (`{ username, password }`): it takes them into use once they work. */
export const credentialsRenewSchema = command('credentials.renew', { sealed: z.string() })

/** What such a box is sealed for. */
export const credentialsContext = (serverId: string): string => `broker ${serverId}`
export const credentialsSchema = z.object({ username: z.string().min(1), password: z.string().min(1) })
export type BrokerCredentials = z.infer<typeof credentialsSchema>

/** The server was deleted: its host ends every game it has, and then itself. */
export const hostLeaveSchema = command('host.leave', {})

export const commandSchema = z.discriminatedUnion('kind', [
  sessionStartSchema,
  sessionStopSchema,
  sessionKillSchema,
  sessionTellSchema,
  configUpdateSchema,
  backupCreateSchema,
  backupRestoreSchema,
  backupCancelSchema,
  volumeDiscardSchema,
  credentialsRenewSchema,
  hostLeaveSchema,
])
export type Command = z.infer<typeof commandSchema>

type BodyOf<C> = C extends Command ? Omit<C, 'version' | 'id' | 'at' | 'number' | 'actor'> : never
/** A command before the outbox numbers it. */
export type CommandBody = BodyOf<Command>
