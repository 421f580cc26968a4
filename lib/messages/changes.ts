import { z } from 'zod'
import { envelope } from './envelope.ts'

/** "This row has changed": written with the change, read by live subscriptions, which then ask the database. */
export const changedSchema = z.discriminatedUnion('kind', [
  envelope('changed.session', { sessionId: z.uuid(), serverGameConfigId: z.uuid(), serverId: z.uuid() }),
  envelope('changed.server', { serverId: z.uuid() }),
  /** A backup, or a restore of it. */
  envelope('changed.backup', { backupId: z.uuid(), serverId: z.uuid() }),
])
export type Changed = z.infer<typeof changedSchema>
