import type { Builder } from '../builder.ts'

/** What a session uses, as `live` tells it. */
export interface FollowedStats {
  sessionId: string
  at: string
  cpuPercent: number
  memoryBytes: number
  memoryLimitBytes: number | null
  rxBytes: number
  txBytes: number
}

export const addSessionStats = (builder: Builder) =>
  builder.objectRef<FollowedStats>('SessionStats').implement({
    description: "What a session's container uses.",
    fields: (t) => ({
      sessionId: t.exposeID('sessionId'),
      at: t.field({ type: 'DateTime', resolve: ({ at }) => new Date(at) }),
      cpuPercent: t.exposeFloat('cpuPercent', { description: 'Of one processor: two busy ones are 200.' }),
      memoryBytes: t.expose('memoryBytes', { type: 'SafeInt', description: 'Without what is only cached of files.' }),
      memoryLimitBytes: t.expose('memoryLimitBytes', {
        type: 'SafeInt',
        nullable: true,
        description: 'Null where the config sets no limit.',
      }),
      rxBytes: t.expose('rxBytes', { type: 'SafeInt', description: 'Received over the network since it began.' }),
      txBytes: t.expose('txBytes', { type: 'SafeInt', description: 'Sent over the network since it began.' }),
    }),
  })
