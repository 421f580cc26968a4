import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { beginTransfer } from '../../../lib/db/transfers.ts'
import { newId } from '../../../lib/process/new-id.ts'
import type { Processor } from '../../../processor/app.ts'
import { eventually } from '../../support/eventually.ts'
import { insertDeployment, insertServer } from '../../support/rows.ts'
import { becomesReady, openStage, type Stage } from './stage.ts'

const timings = { scheduleEveryMs: 50, tryAgainMs: 500, leaseMs: 2_000, staleAfterMs: 600_000, offlineAfterMs: 900_000 }

let stage: Stage
const processors: Processor[] = []
beforeAll(async () => {
  stage = await openStage()
  for (let number = 0; number < 2; number++) processors.push(await stage.startProcessor(timings))
  await Promise.all(processors.map(becomesReady))
})
afterAll(() => stage.close())

const online = () => insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
const portsJson = JSON.stringify([
  { name: 'game', containerPort: 25_565, protocol: 'TCP', sameInside: false, follows: null },
  { name: 'query', containerPort: 25_565, protocol: 'UDP', sameInside: false, follows: null },
  { name: 'rcon', containerPort: 25_575, protocol: 'TCP', sameInside: false, follows: null },
])

/** A deployment that has run before, with ports, and where it may go. */
const aMove = async (session?: 'RUNNING') => {
  const [from, to] = [await online(), await online()]
  const deploymentId = await insertDeployment(stage.db, from)
  await stage.db
    .updateTable('configs.game_configs')
    .set({ ports: portsJson })
    .where('id', '=', (eb) =>
      eb.selectFrom('configs.server_game_configs').select('game_config_id').where('id', '=', deploymentId),
    )
    .execute()
  await insertPort(from, deploymentId, 'game', 20_001, 'TCP', 25_565)
  await insertPort(from, deploymentId, 'query', 20_001, 'UDP', 25_565)
  await insertPort(from, deploymentId, 'rcon', 20_002, 'TCP', 25_575)
  const sessionId = newId()
  await inTransaction(stage.db, async (tx) => {
    await tx
      .insertInto('sessions.sessions')
      .values({
        id: sessionId,
        server_game_config_id: deploymentId,
        server_id: from,
        status: session ?? 'STOPPED',
        revision: 1,
        spec: '{}',
        start_deadline: new Date(),
        started_at: new Date(),
        ended_at: session ? null : new Date(),
        created_by: 'test',
      })
      .execute()
    if (session)
      await tx
        .insertInto('operations.deployment_operations')
        .values({ id: newId(), server_game_config_id: deploymentId, kind: 'SESSION', subject_id: sessionId })
        .execute()
  })
  return { from, to, deploymentId, sessionId, ports: await portsOf(deploymentId) }
}

const insertPort = (server: string, deployment: string, name: string, port: number, protocol: string, inside: number) =>
  stage.db
    .insertInto('configs.server_ports')
    .values({
      server_id: server,
      server_game_config_id: deployment,
      name,
      container_port: inside,
      port,
      protocol,
      address: '0.0.0.0/0',
    })
    .execute()

const begin = async ({ deploymentId, to }: { deploymentId: string; to: string }): Promise<string> => {
  const id = newId()
  const wanted = { id, backupId: newId(), serverGameConfigId: deploymentId, toServerId: to, actor: 'tester' }
  await inTransaction(stage.db, (tx) => beginTransfer(tx, wanted))
  return id
}

const transferOf = (id: string) =>
  stage.db.selectFrom('backups.transfers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
const portsOf = (deploymentId: string) =>
  stage.db
    .selectFrom('configs.server_ports')
    .select(['server_id', 'name', 'port', 'protocol', 'outgoing', 'held_for'])
    .where('server_game_config_id', '=', deploymentId)
    .orderBy('server_id')
    .orderBy('name')
    .execute()
const serverOf = async (deploymentId: string) =>
  (
    await stage.db
      .selectFrom('configs.server_game_configs')
      .select('server_id')
      .where('id', '=', deploymentId)
      .executeTakeFirstOrThrow()
  ).server_id
const openOperationsOf = (deploymentId: string) =>
  stage.db
    .selectFrom('operations.deployment_operations')
    .select(['kind', 'subject_id'])
    .where('server_game_config_id', '=', deploymentId)
    .where('closed_at', 'is', null)
    .execute()
const commandsOf = async (serverId: string) =>
  (
    await stage.db
      .selectFrom('outbox.messages')
      .select('body')
      .where('lane', '=', `host.${serverId}`)
      .orderBy('position')
      .execute()
  ).map(({ body }) => (body as { kind: string }).kind)
const liveSession = (deploymentId: string) =>
  stage.db
    .selectFrom('sessions.sessions')
    .selectAll()
    .where('server_game_config_id', '=', deploymentId)
    .where(sql<boolean>`status NOT IN ('STOPPED', 'CRASHED', 'FAILED')`)
    .executeTakeFirst()
const sessionOn = (deploymentId: string, serverId: string) =>
  eventually(
    async () => {
      const live = await liveSession(deploymentId)
      return live?.server_id === serverId && live
    },
    { what: 'a session is begun there' },
  )
const runs = (id: string) =>
  stage.db.updateTable('sessions.sessions').set({ status: 'RUNNING', started_at: new Date() }).where('id', '=', id).execute()
const end = (serverId: string, sessionId: string, given: object = {}) =>
  stage.report(serverId, {
    sessionId,
    revision: 9,
    status: 'STOPPED',
    endReason: 'REQUESTED',
    endedAt: new Date().toISOString(),
    ...given,
  })

/** What the other side does: the backup, or the restore, comes to this end. */
const backupEnds = (id: string, status: 'COMPLETED' | 'FAILED') => jobEnds('backups.backups', 'backup_id', id, status)
const restoreEnds = (id: string, status: 'COMPLETED' | 'FAILED') => jobEnds('backups.restores', 'restore_id', id, status)
const jobEnds = async (
  table: 'backups.backups' | 'backups.restores',
  column: 'backup_id' | 'restore_id',
  transferId: string,
  status: string,
): Promise<void> => {
  const jobId = await eventually(
    async () => {
      const job = (await transferOf(transferId))[column]
      return job !== null && (await stage.db.selectFrom(table).select('id').where('id', '=', job).executeTakeFirst()) && job
    },
    { what: `${table} has begun` },
  )
  const whole = table === 'backups.backups' ? { size_bytes: 1, sha256: 'a'.repeat(64) } : {}
  const failed = status === 'FAILED' ? { error: 'The disk is full.' } : whole
  await stage.db
    .updateTable(table)
    .set({ status, completed_at: new Date(), ...failed } as never)
    .where('id', '=', jobId)
    .execute()
}
const ends = (id: string) =>
  eventually(async () => (await transferOf(id)).status !== 'RUNNING' && transferOf(id), { what: 'the move ends' })

describe('a move', () => {
  it('takes a running deployment with its ports to another server, and leaves nothing behind', async () => {
    const move = await aMove('RUNNING')
    const id = await begin(move)
    await eventually(async () => (await liveSession(move.deploymentId))?.status === 'STOPPING', { what: 'it is stopped' })
    await end(move.from, move.sessionId)
    await backupEnds(id, 'COMPLETED')
    expect(await openOperationsOf(move.deploymentId)).toEqual([{ kind: 'TRANSFER', subject_id: id }])
    await eventually(async () => (await transferOf(id)).step === 'RESTORING', { what: 'it has a place there' })
    // On both servers, until it is known where it stays.
    expect(await portsOf(move.deploymentId)).toHaveLength(6)
    await restoreEnds(id, 'COMPLETED')
    const session = await sessionOn(move.deploymentId, move.to)
    expect(await openOperationsOf(move.deploymentId)).toEqual([{ kind: 'SESSION', subject_id: session.id }])
    expect((await transferOf(id)).status).toBe('RUNNING')
    await runs(session.id)
    expect(await ends(id)).toMatchObject({ status: 'COMPLETED', error: null, step: 'STARTING' })
    expect(await serverOf(move.deploymentId)).toBe(move.to)
    expect(await portsOf(move.deploymentId)).toEqual(move.ports.map((port) => ({ ...port, server_id: move.to })))
    expect(await commandsOf(move.from)).toEqual(['session.stop', 'backup.create', 'volume.discard'])
    expect(await commandsOf(move.to)).toEqual(['backup.restore', 'session.start'])
  })

  it('takes other numbers for those that are taken there, together with what goes by the same one', async () => {
    const move = await aMove()
    const other = await insertDeployment(stage.db, move.to)
    await insertPort(move.to, other, 'game', 20_001, 'UDP', 1)
    const id = await begin(move)
    await backupEnds(id, 'COMPLETED')
    await restoreEnds(id, 'COMPLETED')
    await ends(id)
    const numbers = Object.fromEntries((await portsOf(move.deploymentId)).map(({ name, port }) => [name, port]))
    expect(numbers).toEqual({ game: expect.any(Number), query: numbers.game, rcon: 20_002 })
    expect(numbers.game).not.toBe(20_001)
    expect(await liveSession(move.deploymentId)).toBeUndefined()
    expect(await openOperationsOf(move.deploymentId)).toEqual([])
  })

  it('of a deployment that never ran carries nothing', async () => {
    const [from, to] = [await online(), await online()]
    const deploymentId = await insertDeployment(stage.db, from)
    expect(await ends(await begin({ deploymentId, to }))).toMatchObject({ status: 'COMPLETED', backup_id: null })
    expect(await serverOf(deploymentId)).toBe(to)
    expect([await commandsOf(from), await commandsOf(to)]).toEqual([[], []])
  })

  it('is gone on with by another processor when the one that had it is gone', async () => {
    const move = await aMove()
    const id = await begin(move)
    await stage.db
      .updateTable('backups.transfers')
      .set({ leased_by: newId(), leased_until: sql<Date>`now() + interval '1 second'` })
      .where('id', '=', id)
      .execute()
    await backupEnds(id, 'COMPLETED')
    await restoreEnds(id, 'COMPLETED')
    expect((await ends(id)).status).toBe('COMPLETED')
    expect(await commandsOf(move.from)).toEqual(['backup.create', 'volume.discard'])
    expect(await commandsOf(move.to)).toEqual(['backup.restore'])
  })
})

describe('a move that fails goes back', () => {
  const isBack = async (move: Awaited<ReturnType<typeof aMove>>) => {
    expect(await serverOf(move.deploymentId)).toBe(move.from)
    expect(await portsOf(move.deploymentId)).toEqual(move.ports)
  }

  it('when the backup fails, and what ran runs again', async () => {
    const move = await aMove('RUNNING')
    const id = await begin(move)
    await eventually(async () => (await liveSession(move.deploymentId))?.status === 'STOPPING', { what: 'it is stopped' })
    await end(move.from, move.sessionId)
    await backupEnds(id, 'FAILED')
    expect(await ends(id)).toMatchObject({ status: 'FAILED', error: 'The backup failed: The disk is full.' })
    const session = await sessionOn(move.deploymentId, move.from)
    expect(await openOperationsOf(move.deploymentId)).toEqual([{ kind: 'SESSION', subject_id: session.id }])
    await isBack(move)
    expect(await commandsOf(move.to)).toEqual([])
  })

  it('when there is no room for its ports', async () => {
    const move = await aMove()
    await stage.db.updateTable('servers.servers').set({ port_range: '[30000,30001)' }).where('id', '=', move.to).execute()
    const other = await insertDeployment(stage.db, move.to)
    await insertPort(move.to, other, 'one', 20_001, 'TCP', 1)
    await insertPort(move.to, other, 'two', 30_000, 'TCP', 2)
    const id = await begin(move)
    await backupEnds(id, 'COMPLETED')
    expect(await ends(id)).toMatchObject({
      status: 'FAILED',
      error: expect.stringContaining('No port from 30000 to 30000 is free'),
    })
    await isBack(move)
    expect(await openOperationsOf(move.deploymentId)).toEqual([])
  })

  it('when the restore fails', async () => {
    const move = await aMove()
    const id = await begin(move)
    await backupEnds(id, 'COMPLETED')
    await restoreEnds(id, 'FAILED')
    expect(await ends(id)).toMatchObject({ status: 'FAILED', error: 'The restore failed: The disk is full.' })
    await isBack(move)
    expect(await commandsOf(move.to)).toEqual(['backup.restore', 'volume.discard'])
  })

  it('when the session does not come to run there', async () => {
    const move = await aMove('RUNNING')
    const id = await begin(move)
    await eventually(async () => (await liveSession(move.deploymentId))?.status === 'STOPPING', { what: 'it is stopped' })
    await end(move.from, move.sessionId)
    await backupEnds(id, 'COMPLETED')
    await restoreEnds(id, 'COMPLETED')
    const there = await sessionOn(move.deploymentId, move.to)
    await end(move.to, there.id, { status: 'FAILED', endReason: 'IMAGE_UNAVAILABLE', endMessage: 'No such image.' })
    expect(await ends(id)).toMatchObject({ status: 'FAILED', error: expect.stringContaining('No such image.') })
    await sessionOn(move.deploymentId, move.from)
    await isBack(move)
    expect((await commandsOf(move.to)).at(-1)).toBe('volume.discard')
  })

  it('also when the target is offline by then', async () => {
    const move = await aMove('RUNNING')
    const id = await begin(move)
    await eventually(async () => (await liveSession(move.deploymentId))?.status === 'STOPPING', { what: 'it is stopped' })
    await end(move.from, move.sessionId)
    await backupEnds(id, 'COMPLETED')
    await restoreEnds(id, 'COMPLETED')
    const there = await sessionOn(move.deploymentId, move.to)
    await stage.db.updateTable('servers.servers').set({ status: 'OFFLINE' }).where('id', '=', move.to).execute()
    await stage.db
      .updateTable('backups.transfers')
      .set({ step_at: new Date(0) })
      .where('id', '=', id)
      .execute()
    expect(await ends(id)).toMatchObject({ status: 'FAILED', error: expect.stringContaining('in time') })
    const ended = await stage.db.selectFrom('sessions.sessions').selectAll().where('id', '=', there.id).executeTakeFirstOrThrow()
    expect(ended).toMatchObject({ status: 'STOPPED', end_reason: 'ABANDONED' })
    await sessionOn(move.deploymentId, move.from)
    await isBack(move)
  })

  it('and tells so when the session can not be started again', async () => {
    const move = await aMove('RUNNING')
    const id = await begin(move)
    await eventually(async () => (await liveSession(move.deploymentId))?.status === 'STOPPING', { what: 'it is stopped' })
    await end(move.from, move.sessionId)
    await stage.db.updateTable('servers.servers').set({ draining: true }).where('id', '=', move.from).execute()
    await backupEnds(id, 'FAILED')
    expect((await ends(id)).error).toMatch(
      /^The backup failed: The disk is full. The session could not be started again: .*draining/,
    )
    await isBack(move)
    expect(await openOperationsOf(move.deploymentId)).toEqual([])
  })

  it('without a word to the deployment when that was deleted meanwhile', async () => {
    const move = await aMove()
    const id = await begin(move)
    await eventually(async () => (await transferOf(id)).step === 'BACKING_UP', { what: 'it is under way' })
    await stage.db
      .updateTable('configs.server_game_configs')
      .set({ deleted_at: new Date() })
      .where('id', '=', move.deploymentId)
      .execute()
    expect(await ends(id)).toMatchObject({ status: 'FAILED', error: expect.stringContaining('deleted') })
    expect(await openOperationsOf(move.deploymentId)).toEqual([])
  })
})

describe('a move is refused at once', () => {
  const set = (id: string, what: object) => stage.db.updateTable('servers.servers').set(what).where('id', '=', id).execute()

  it('to where the deployment can not live, with the reason', async () => {
    const move = await aMove()
    await expect(begin({ ...move, to: move.from })).rejects.toThrow('already')
    await expect(begin({ ...move, to: newId() })).rejects.toThrow('There is no server')
    await set(move.to, { draining: true })
    await expect(begin(move)).rejects.toThrow('draining')
    await set(move.to, { draining: false, environment: 'elsewhere' })
    await expect(begin(move)).rejects.toThrow('environment')
    await set(move.to, { environment: 'test', status: 'OFFLINE' })
    await expect(begin(move)).rejects.toThrow('OFFLINE')
  })

  it('where links or its name bind it', async () => {
    const move = await aMove()
    const neighbour = await insertDeployment(stage.db, move.from)
    const rename = (id: string, what: object) =>
      stage.db.updateTable('configs.server_game_configs').set(what).where('id', '=', id).execute()
    const link = JSON.stringify([{ alias: 'db', serverGameConfigId: move.deploymentId }])
    await rename(neighbour, { links: link, name: 'the proxy' })
    await expect(begin(move)).rejects.toThrow('the proxy')
    await rename(neighbour, { links: '[]' })
    const namesake = await insertDeployment(stage.db, move.to)
    await rename(namesake, { name: move.deploymentId.toUpperCase() })
    await expect(begin(move)).rejects.toThrow('There is a deployment named')
  })

  it('while another is under way', async () => {
    const move = await aMove()
    const id = await begin(move)
    await expect(begin(move)).rejects.toThrow('A move of this deployment is under way')
    await backupEnds(id, 'FAILED')
    await ends(id)
  })
})
