import { z } from 'zod'
import { envelope } from './envelope.ts'

/** What a session's container uses. Transient, and only while somebody watches. */
export const sessionStatsSchema = envelope('stats.session', {
  sessionId: z.uuid(),
  /** Of one processor since the message before: two busy ones are 200. */
  cpuPercent: z.number().nonnegative(),
  memoryBytes: z.number().int().nonnegative(),
  /** Null without a limit of its own. */
  memoryLimitBytes: z.number().int().positive().nullable(),
  /** Since the container began. */
  rxBytes: z.number().int().nonnegative(),
  txBytes: z.number().int().nonnegative(),
})
export type SessionStats = z.infer<typeof sessionStatsSchema>
