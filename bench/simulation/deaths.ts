import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../../lib/db/connect.ts'
import { defaultTimings } from '../../processor/timings.ts'
import type { Hosts } from './hosts.ts'

const lookEveryMs = 100
const limitMs = defaultTimings.offlineAfterMs + 30_000

/**
 * Some hosts fall silent; answers how many ms past the threshold each was OFFLINE, with those never noticed left out. They
 * speak again afterwards.
 */
export const letDie = async (db: Database, { hosts }: Hosts, count: number): Promise<number[]> => {
  const dying = hosts.filter((_, i) => i % Math.floor(hosts.length / count) === 0).slice(0, count)
  for (const host of dying) host.isSilent = true
  const delays: number[] = []
  const waiting = new Map(dying.map((host) => [host.id, host]))
  for (const deadline = performance.now() + limitMs; waiting.size > 0 && performance.now() < deadline; await delay(lookEveryMs)) {
    const offline = await db
      .selectFrom('servers.servers')
      .select('id')
      .where('id', 'in', [...waiting.keys()])
      .where('status', '=', 'OFFLINE')
      .execute()
    for (const { id } of offline) {
      delays.push(performance.now() - waiting.get(id)!.lastBeatMs - defaultTimings.offlineAfterMs)
      waiting.delete(id)
    }
  }
  for (const host of dying) host.isSilent = false
  return delays
}

/** Hosts that speak, and are not ONLINE. */
export const countFalselySilent = async (db: Database, { hosts }: Hosts): Promise<number> => {
  const now = performance.now()
  const speaking = hosts.filter(({ isSilent, lastBeatMs }) => !isSilent && now - lastBeatMs < 6_000).map(({ id }) => id)
  const rows = await db.selectFrom('servers.servers').select('id').where('status', '<>', 'ONLINE').execute()
  const silent = new Set(rows.map(({ id }) => id))
  return speaking.filter((id) => silent.has(id)).length
}
