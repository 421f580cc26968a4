import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logObjectKey, sessionLogPrefix } from '../../../lib/storage/keys.ts'
import { makeLogReader } from '../../../subgraphs/sessions/log-archive.ts'
import { eventually } from '../../support/eventually.ts'
import { insertServer, insertSession } from '../../support/rows.ts'
import { openStage, type Stage } from './stage.ts'

const linesPerObject = 10
const objectBytes = 400_000

let stage: Stage
let serverId: string
beforeAll(async () => {
  stage = await openStage()
  serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
})
afterAll(() => stage.close())

/** A session with one archived object for each age in days, the oldest first, and what its GameConfig says. */
const archived = async (
  agesInDays: readonly number[],
  config: { log_retention_days?: number; log_retention_mb?: number },
  deploymentOf?: string,
): Promise<string> => {
  const { db } = stage
  const id = await insertSession(db, { serverId, status: 'RUNNING' })
  const end = { status: 'STOPPED', ended_at: new Date(), exit_code: 0, end_reason: 'REQUESTED' }
  await db.updateTable('sessions.sessions').set(end).where('id', '=', id).execute()
  if (deploymentOf) {
    const other = db.selectFrom('sessions.sessions').select('server_game_config_id').where('id', '=', deploymentOf)
    await db.updateTable('sessions.sessions').set({ server_game_config_id: other }).where('id', '=', id).execute()
  }
  const total = { bytes: agesInDays.length, stored_bytes: agesInDays.length * objectBytes }
  const values = { session_id: id, last_seq: agesInDays.length * linesPerObject, ...total }
  await db.insertInto('sessions.logs').values(values).execute()
  for (const [at, days] of agesInDays.entries()) {
    const [first, last] = [at * linesPerObject + 1, (at + 1) * linesPerObject]
    const key = logObjectKey(id, first, last)
    await stage.store.put(key, Buffer.from(key))
    const time = sql<Date>`now() - ${days} * interval '1 day'`
    const span = { first_seq: first, last_seq: last, first_at: time, last_at: time, archived_at: time }
    const object = { session_id: id, bytes: 1, stored_bytes: objectBytes, key, ...span }
    await db.insertInto('sessions.log_objects').values(object).execute()
  }
  if (Object.keys(config).length > 0) {
    const query = db.updateTable('configs.game_configs as config').set(config)
    await query
      .from('configs.server_game_configs as deployment')
      .innerJoin('sessions.sessions as session', 'session.server_game_config_id', 'deployment.id')
      .whereRef('deployment.game_config_id', '=', 'config.id')
      .where('session.id', '=', id)
      .execute()
  }
  return id
}

const keysOf = async (sessionId: string): Promise<string[]> => {
  const keys: string[] = []
  for await (const { key } of stage.store.list(sessionLogPrefix(sessionId))) keys.push(key)
  return keys
}

const extentOf = (sessionId: string) => makeLogReader(stage).extent(sessionId)
const firstSeqIs = (sessionId: string, seq: number) =>
  eventually(async () => (await extentOf(sessionId)).firstSeq === seq, { what: `line ${seq} is the first that is kept` })
const objectsAre = (sessionId: string, count: number) =>
  eventually(async () => (await keysOf(sessionId)).length === count, { what: `${count} objects are left` })

describe('the archive of logs', () => {
  it('keeps lines for as many days as the GameConfig or else the installation says', async () => {
    const byDefault = await archived([40, 31, 29, 1], {})
    const longer = await archived([40, 31, 29, 1], { log_retention_days: 35 })
    const shorter = await archived([40, 31, 29, 1], { log_retention_days: 1 })
    // Written by a processor that died before it had a row.
    await stage.store.put(logObjectKey(shorter, 11, 17), Buffer.from('nobody names it'))
    await stage.store.put(logObjectKey(byDefault, 21, 27), Buffer.from('nobody names it'))
    const processor = await stage.startProcessor({ retentionEveryMs: 100, expiredForMs: 300 })
    await firstSeqIs(byDefault, 21)
    await firstSeqIs(longer, 11)
    await firstSeqIs(shorter, 41)
    await objectsAre(byDefault, 3) // of the nameless one, lines are still kept
    await objectsAre(longer, 3)
    await objectsAre(shorter, 0)
    expect(await extentOf(shorter)).toMatchObject({ lastSeq: 40 })
    await processor.close()
  })

  it('keeps of a deployment as many megabytes as its GameConfig says, of all its sessions the newest', async () => {
    const older = await archived([3, 3, 3], {})
    const newer = await archived([2, 1], { log_retention_mb: 1 }, older)
    const unlimited = await archived([3, 3, 3, 3], {})
    const processor = await stage.startProcessor({ retentionEveryMs: 100, expiredForMs: 0 })
    await firstSeqIs(older, 31)
    await objectsAre(older, 0)
    const rows = await stage.db.selectFrom('sessions.logs').selectAll().where('session_id', 'in', [older, newer]).execute()
    expect(rows.find((row) => row.session_id === older)).toMatchObject({ first_seq: 31, last_seq: 30, bytes: 0, stored_bytes: 0 })
    expect(rows.find((row) => row.session_id === newer)).toMatchObject({ first_seq: 1, stored_bytes: 2 * objectBytes })
    expect(await keysOf(newer)).toHaveLength(2)
    expect(await keysOf(unlimited)).toHaveLength(4)
    await processor.close()
  })

  it('leaves an object to those who read it, after its row is gone', async () => {
    const id = await archived([50, 1], {})
    const patient = await stage.startProcessor({ retentionEveryMs: 100, expiredForMs: 3_600_000 })
    await firstSeqIs(id, 11)
    await patient.close()
    expect(await keysOf(id)).toHaveLength(2)
    const eager = await stage.startProcessor({ retentionEveryMs: 100, expiredForMs: 0 })
    await objectsAre(id, 1)
    await eager.close()
  })
})
