import { sql } from 'kysely'
import type { Database } from '../../lib/db/connect.ts'
import { queues } from '../../lib/messages/routing.ts'
import type { Rabbit } from '../../lib/rabbit/connect.ts'
import type { MeasuredProcess } from '../measured-process.ts'

/** What is seen once a second. */
export interface Sample {
  atMs: number
  cpuSeconds: number
  rssBytes: number
  health: number
  statuses: number
  unsent: number
}

export const startSampling = (options: { db: Database; rabbit: Rabbit; processor: MeasuredProcess }) => {
  const kept = options.rabbit.keepChannel({ name: 'depths' })
  const samples: Sample[] = []

  const depthOf = async (queue: string): Promise<number> => (await kept.current()?.checkQueue(queue))?.messageCount ?? 0
  const look = async (): Promise<void> => {
    const { cpuSeconds, rssBytes } = options.processor
    const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM outbox.messages WHERE sent_at IS NULL`.execute(
      options.db,
    )
    const depths = { health: await depthOf(queues.health), statuses: await depthOf(queues.statuses) }
    samples.push({ atMs: performance.now(), cpuSeconds: cpuSeconds(), rssBytes: rssBytes(), ...depths, unsent: rows[0]?.n ?? 0 })
  }
  const timer = setInterval(() => void look().catch(() => undefined), 1_000) // a sample less says nothing
  return {
    samples,
    close: async (): Promise<void> => {
      clearInterval(timer)
      await kept.close()
    },
  }
}
