import { z } from 'zod'
import { sessionStatuses } from '../domain/session-states.ts'
import { envelope } from './envelope.ts'

/** Sessions in one report; a host that holds more tells them in several, each about a range of ids. */
export const sessionsPerReport = 1_000

/**
 * Everything a host holds, so that both sides can be compared: sent at its start, every 30 s, and when it is asked. It says
 * nothing about sessions whose last command is above `appliedCommand`: those the host could not know.
 */
export const hostReportSchema = envelope('status.host', {
  epoch: z.number().int().positive(),
  /** Highest command number applied; 0 also when the host no longer knows. */
  appliedCommand: z.number().int().nonnegative(),
  /** The report is about sessions with ids above `after` and up to `upTo`; null is no bound. */
  after: z.uuid().nullable(),
  upTo: z.uuid().nullable(),
  /** All that are not forgotten, live and ended. */
  sessions: z.array(
    z.object({
      sessionId: z.uuid(),
      status: z.enum(sessionStatuses).exclude(['PENDING', 'LOST']),
      revision: z.number().int().positive(),
      /** Highest revision that the broker has taken. */
      reported: z.number().int().nonnegative(),
      /** Its record was lost and made anew from its container: policies may have changed since that was made. */
      adopted: z.boolean(),
    }),
  ),
  /** Sessions of which only a container that never ran, or a network, is left here. */
  orphans: z.array(z.uuid()),
})
export type HostReport = z.infer<typeof hostReportSchema>
export type HeldSession = HostReport['sessions'][number]
