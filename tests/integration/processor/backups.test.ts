import { randomBytes } from 'node:crypto'
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beginBackup, beginRestore } from '../../../lib/db/backups.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import type { BackupPolicy } from '../../../lib/domain/backup-policy.ts'
import type { Command } from '../../../lib/messages/commands.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { backupArchiveKey, backupIndexKey, backupsPrefix } from '../../../lib/storage/keys.ts'
import { makeS3Store } from '../../../lib/storage/s3.ts'
import type { ObjectStore } from '../../../lib/storage/store.ts'
import { type BackupHost, openBackupHost } from '../../support/backup-host.ts'
import { eventually } from '../../support/eventually.ts'
import { openObjectDoor } from '../../support/object-door.ts'
import { insertDeployment, insertServer, insertSession } from '../../support/rows.ts'
import { startS3Peer } from '../../support/s3-peer.ts'
import { becomesReady, logger, openStage, type Stage } from './stage.ts'

/** Silence of a server is not what is tested here. */
const patient = { staleAfterMs: 600_000, offlineAfterMs: 600_000 }
const quick = { ...patient, sweepEveryMs: 50, settleMs: 50, retentionEveryMs: 50, storeSweepEveryMs: 50 }

describe.each(['directory', 's3'])('backups, with a store of kind %s', (kind) => {
  let stage: Stage
  let store: ObjectStore
  let serverId: string
  let host: BackupHost
  let commands: Command[]
  let at: (address: string) => string
  const closing: (() => unknown)[] = []

  beforeAll(async () => {
    stage = await openStage()
    const peer = kind === 's3' ? await startS3Peer('manman') : undefined
    store = peer ? makeS3Store(peer.options) : stage.store
    const door = await openObjectDoor(store)
    at = door.at
    serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
    await becomesReady(await stage.startProcessor(quick, store))
    host = await openBackupHost({ rabbit: stage.rabbit, logger, serverId })
    commands = await stage.openHost(serverId)
    closing.push(host.close, door.close, () => peer?.stop())
  })
  afterAll(async () => {
    for (const close of closing) await close()
    await stage.close()
  })

  const begin = async (more: { thenStop?: string; deploymentId?: string; policy?: Partial<BackupPolicy> } = {}) => {
    const id = newId()
    const serverGameConfigId = more.deploymentId ?? (await insertDeployment(stage.db, serverId))
    if (more.policy) {
      const policy = { server_game_config_id: serverGameConfigId, policy: JSON.stringify(more.policy), updated_by: 'test' }
      await stage.db.insertInto('backups.policies').values(policy).execute()
    }
    const wanted = { id, serverGameConfigId, trigger: 'MANUAL' as const, actor: 'test', thenStop: more.thenStop }
    await inTransaction(stage.db, (tx) => beginBackup(tx, wanted))
    return { id, serverGameConfigId }
  }
  const rowOf = (id: string) => stage.db.selectFrom('backups.backups').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const restoreOf = (id: string) =>
    stage.db.selectFrom('backups.restores').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const heard = <Kind extends Command['kind']>(kindOf: Kind, matches: (command: Extract<Command, { kind: Kind }>) => boolean) =>
    eventually(
      () => commands.find((one): one is Extract<Command, { kind: Kind }> => one.kind === kindOf && matches(one as never)),
      { what: `the host hears ${kindOf}` },
    )
  const completed = async (more: Parameters<typeof begin>[0] = {}, bytes = 100) => {
    const backup = await begin(more)
    await host.ask(await host.upload(backup.id, randomBytes(bytes), at))
    return backup
  }
  const beginsRestore = async (backupId: string, serverGameConfigId: string, waitsFor?: string) => {
    const id = newId()
    await inTransaction(stage.db, (tx) =>
      beginRestore(tx, { id, backupId, serverGameConfigId, paths: null, waitsFor, actor: 'test' }),
    )
    return id
  }
  const isBusy = async (deploymentId: string): Promise<boolean> => {
    const open = stage.db.selectFrom('operations.deployment_operations').select('id').where('closed_at', 'is', null)
    return (await open.where('server_game_config_id', '=', deploymentId).executeTakeFirst()) !== undefined
  }

  it('are COMPLETED when their object is whole, however often that is said, and can be restored', async () => {
    const { id, serverGameConfigId } = await begin()
    await heard('backup.create', ({ backupId }) => backupId === id)
    await host.reportBackup({ backupId: id, revision: 1, status: 'RUNNING', phase: 'UPLOADING', bytesDone: 7, error: null })
    await eventually(async () => (await rowOf(id)).bytes_done === 7, { what: 'progress' })
    const archive = randomBytes(6 * 1024 * 1024)
    const ask = await host.upload(id, archive, at)
    const { url } = await host.ask<'backup.index'>({ kind: 'backup.index', backupId: id, bytes: 5 })
    expect((await fetch(at(url), { method: 'PUT', body: 'index' })).status).toBe(200)
    await Promise.all([host.ask(ask), host.ask(ask)])
    await host.ask(ask)
    const row = await rowOf(id)
    expect(row).toMatchObject({
      status: 'COMPLETED',
      size_bytes: archive.length,
      sha256: ask.sha256,
      entries: 3,
      upload_id: null,
    })
    expect(row).toMatchObject({ content_bytes: 2 * archive.length, warnings: ['w'], phase: null })
    await host.reportBackup({ backupId: id, revision: 9, status: 'FAILED', phase: 'UPLOADING', bytesDone: 0, error: 'late' })
    await expect(host.ask({ kind: 'backup.open', backupId: id, again: true })).rejects.toMatchObject({ code: 'CONFLICT' })

    const restoreId = await beginsRestore(id, serverGameConfigId)
    expect(await heard('backup.restore', (one) => one.restoreId === restoreId)).toMatchObject({ sha256: ask.sha256 })
    const source = await host.ask<'restore.source'>({ kind: 'restore.source', restoreId })
    expect(Buffer.from(await (await fetch(at(source.url))).arrayBuffer()).equals(archive)).toBe(true)
    expect(await isBusy(serverGameConfigId)).toBe(true)
    await host.reportRestore({ restoreId, revision: 2, status: 'COMPLETED', phase: 'SWAPPING', bytesDone: 9, error: null })
    await eventually(async () => (await restoreOf(restoreId)).status === 'COMPLETED', { what: 'restored' })
    expect(await isBusy(serverGameConfigId)).toBe(false)
    expect((await rowOf(id)).status).toBe('COMPLETED')
    await expect(host.ask({ kind: 'restore.source', restoreId })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('begin afresh by another upload, and know nothing of the first one any more', async () => {
    const { id } = await begin()
    const before = await host.upload(id, Buffer.from('before'), at)
    const same = await host.ask<'backup.open'>({ kind: 'backup.open', backupId: id, again: false })
    expect(same.upload).toBe(before.upload)
    const { upload } = await host.ask<'backup.open'>({ kind: 'backup.open', backupId: id, again: true })
    expect(upload).not.toBe(before.upload)
    await expect(host.ask(before)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('Another upload') })
    await host.ask(await host.upload(id, Buffer.from('after'), at))
    expect((await store.get(backupArchiveKey(id))).toString()).toBe('after')
  })

  it('are not COMPLETED by an object of another size', async () => {
    const { id } = await begin()
    const ask = await host.upload(id, Buffer.from('four'), at)
    await expect(host.ask({ ...ask, sizeBytes: 5 })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await rowOf(id)).status).toBe('PENDING')
    await host.ask(ask)
    expect((await rowOf(id)).status).toBe('COMPLETED')
  })

  it('are COMPLETED also when whoever put them together was lost before the row said so', async () => {
    const { id } = await begin()
    const ask = await host.upload(id, Buffer.from('whole'), at)
    await store.completeUpload(backupArchiveKey(id), ask.upload, ask.parts)
    await host.ask(ask)
    expect((await rowOf(id)).status).toBe('COMPLETED')
  })

  it('belong to their host alone', async () => {
    const { id, serverGameConfigId } = await completed()
    const open = await begin()
    const restoreId = await beginsRestore(id, serverGameConfigId)
    const stranger = await openBackupHost({
      rabbit: stage.rabbit,
      logger,
      serverId: await insertServer(stage.db, { status: 'ONLINE' }),
    })
    const refused = { code: 'NOT_FOUND' }
    await expect(stranger.ask({ kind: 'backup.open', backupId: open.id, again: true })).rejects.toMatchObject(refused)
    await expect(stranger.ask({ kind: 'backup.index', backupId: open.id, bytes: 1 })).rejects.toMatchObject(refused)
    await expect(stranger.ask({ kind: 'restore.source', restoreId })).rejects.toMatchObject(refused)
    const report = { revision: 99, status: 'FAILED' as const, bytesDone: 0, error: 'x' }
    await stranger.reportBackup({ backupId: open.id, phase: 'UPLOADING', ...report })
    await host.reportBackup({ ...report, backupId: open.id, phase: 'SAVING', status: 'RUNNING', revision: 1, error: null })
    await eventually(async () => (await rowOf(open.id)).phase === 'SAVING', { what: 'the true host is heard' })
    expect((await rowOf(open.id)).status).toBe('RUNNING')
    await stranger.close()
  })

  it('fail beyond the quota of bytes, and leave nothing', async () => {
    const { id } = await begin({ policy: { maxBytes: 10 } })
    const ask = await host.upload(id, randomBytes(11), at)
    await expect(host.ask(ask)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('may have 10') })
    expect(await rowOf(id)).toMatchObject({ status: 'FAILED', error: expect.stringContaining('11 bytes') })
    expect(await store.stat(backupArchiveKey(id))).toBeUndefined()
    await heard('backup.cancel', ({ jobId }) => jobId === id)
  })

  it('stop the session that waits for them, however they end', async () => {
    for (const ends of ['COMPLETED', 'FAILED']) {
      const sessionId = await insertSession(stage.db, { serverId, status: 'RUNNING' })
      const { server_game_config_id: deploymentId } = await stage.db
        .selectFrom('sessions.sessions')
        .select('server_game_config_id')
        .where('id', '=', sessionId)
        .executeTakeFirstOrThrow()
      const { id } = await begin({ deploymentId, thenStop: sessionId })
      if (ends === 'COMPLETED') await host.ask(await host.upload(id, Buffer.from('x'), at))
      else
        await host.reportBackup({ backupId: id, revision: 1, status: 'FAILED', phase: 'PACKING', bytesDone: 0, error: 'no disk' })
      await heard('session.stop', (one) => one.sessionId === sessionId)
      expect(await rowOf(id)).toMatchObject({ status: ends, error: ends === 'FAILED' ? 'no disk' : null })
      const session = stage.db.selectFrom('sessions.sessions').select('status').where('id', '=', sessionId)
      expect(await session.executeTakeFirst()).toEqual({ status: 'STOPPING' })
    }
  })

  it('begin the restore that waits for them, or fail it', async () => {
    const source = await completed()
    for (const ends of ['COMPLETED', 'FAILED']) {
      const deploymentId = source.serverGameConfigId
      const first = await begin({ deploymentId })
      const restoreId = await beginsRestore(source.id, deploymentId, first.id)
      if (ends === 'COMPLETED') {
        await host.ask(await host.upload(first.id, Buffer.from('x'), at))
        await heard('backup.restore', (one) => one.restoreId === restoreId)
        await host.reportRestore({ restoreId, revision: 1, status: 'FAILED', phase: 'VERIFYING', bytesDone: 0, error: 'bad sum' })
      } else
        await host.reportBackup({
          backupId: first.id,
          revision: 1,
          status: 'FAILED',
          phase: 'PACKING',
          bytesDone: 0,
          error: 'full',
        })
      await eventually(async () => (await restoreOf(restoreId)).status === 'FAILED', { what: 'the restore has failed' })
      const { error } = await restoreOf(restoreId)
      expect(error).toContain(ends === 'COMPLETED' ? 'bad sum' : 'withoutBackup')
      expect(await isBusy(deploymentId)).toBe(false)
    }
  })

  const makeStalled = async (table: 'backups' | 'restores', id: string): Promise<void> => {
    const progress_at = sql<Date>`now() - interval '1 day'`
    await stage.db
      .updateTable(`backups.${table}` as 'backups.backups')
      .set({ progress_at })
      .where('id', '=', id)
      .execute()
  }

  it('without progress have failed, with the reason, and the host is told', async () => {
    const { id } = await begin()
    await host.reportBackup({ backupId: id, revision: 1, status: 'RUNNING', phase: 'PACKING', bytesDone: 0, error: null })
    await eventually(async () => (await rowOf(id)).status === 'RUNNING', { what: 'it runs' })
    await makeStalled('backups', id)
    await eventually(async () => (await rowOf(id)).status === 'FAILED', { what: 'it is given up' })
    expect((await rowOf(id)).error).toBe('No progress for 15 minutes, while PACKING.')
    await heard('backup.cancel', ({ jobId }) => jobId === id)
    const never = await begin()
    await stage.db.updateTable('servers.servers').set({ status: 'OFFLINE' }).where('id', '=', serverId).execute()
    await makeStalled('backups', never.id)
    await eventually(async () => (await rowOf(never.id)).status === 'FAILED', { what: 'it is given up' })
    expect((await rowOf(never.id)).error).toBe('It was not begun within 15 minutes: its host is OFFLINE.')
    await stage.db.updateTable('servers.servers').set({ status: 'ONLINE' }).where('id', '=', serverId).execute()
  })

  it('given up as a restore are COMPLETED all the same when their host says so later', async () => {
    const { id, serverGameConfigId } = await completed()
    const restoreId = await beginsRestore(id, serverGameConfigId)
    await makeStalled('restores', restoreId)
    await eventually(async () => (await restoreOf(restoreId)).status === 'FAILED', { what: 'it is given up' })
    expect(await restoreOf(restoreId)).toMatchObject({ judged: true })
    expect(await isBusy(serverGameConfigId)).toBe(false)
    await heard('backup.cancel', ({ jobId }) => jobId === restoreId)
    await host.reportRestore({ restoreId, revision: 3, status: 'COMPLETED', phase: 'SWAPPING', bytesDone: 1, error: null })
    await eventually(async () => (await restoreOf(restoreId)).status === 'COMPLETED', { what: 'the truth replaces it' })
    await host.reportRestore({ restoreId, revision: 4, status: 'FAILED', phase: 'SWAPPING', bytesDone: 1, error: 'x' })
    await host.reportRestore({ restoreId: newId(), revision: 4, status: 'FAILED', phase: 'SWAPPING', bytesDone: 1, error: 'x' })
    expect(await restoreOf(restoreId)).toMatchObject({ status: 'COMPLETED', judged: false, error: null })
  })

  it('that their policy keeps no longer go with their objects, but for locked ones and the one that is needed', async () => {
    const first = await completed({ policy: { keepLast: 2 } })
    const { serverGameConfigId: deploymentId } = first
    await stage.db.updateTable('backups.backups').set({ locked: true }).where('id', '=', first.id).execute()
    const ids = [first.id]
    for (let count = 0; count < 4; count++) ids.push((await completed({ deploymentId })).id)
    const isGone = async (id: string): Promise<boolean> => (await rowOf(id)).removed_at !== null
    await eventually(async () => (await isGone(ids[1]!)) && (await isGone(ids[2]!)), { what: 'two are gone' })
    for (const id of [ids[1]!, ids[2]!]) expect(await store.stat(backupArchiveKey(id))).toBeUndefined()
    for (const id of [ids[0]!, ids[3]!, ids[4]!]) {
      expect(await store.stat(backupArchiveKey(id))).toBe(100)
      expect((await rowOf(id)).deleted_at).toBeNull()
    }
  })

  it('say when their archive has gone from the store, and when it is back', async () => {
    const { id, serverGameConfigId } = await completed()
    const body = await store.get(backupArchiveKey(id))
    await store.remove([backupArchiveKey(id)])
    await eventually(async () => (await rowOf(id)).error !== null, { what: 'it is missed' })
    await expect(beginsRestore(id, serverGameConfigId)).rejects.toThrow(/not in the store/)
    await store.put(backupArchiveKey(id), body)
    await eventually(async () => (await rowOf(id)).error === null, { what: 'it is back' })
  })
})

describe('the store of backups', () => {
  it('loses what belongs to none, once it is old, and nothing else', async () => {
    const stage = await openStage()
    const { store } = stage
    const serverId = await insertServer(stage.db, { status: 'ONLINE', seenMsAgo: 0 })
    const host = await openBackupHost({ rabbit: stage.rabbit, logger, serverId })
    const insert = async (status: string): Promise<string> => {
      const id = newId()
      const server_game_config_id = await insertDeployment(stage.db, serverId)
      const whole = status === 'COMPLETED' && { size_bytes: 1, sha256: 'a', completed_at: new Date() }
      const row = { id, server_game_config_id, server_id: serverId, status, created_by: 'test', ...whole }
      await stage.db.insertInto('backups.backups').values(row).execute()
      await store.put(backupArchiveKey(id), Buffer.from('x'))
      return id
    }
    const old = {
      kept: await insert('COMPLETED'),
      running: await insert('RUNNING'),
      failed: await insert('FAILED'),
      none: newId(),
    }
    await store.put(backupIndexKey(old.none), Buffer.from('x'))
    const longAgo = Date.now() / 1000 - 2 * 86_400
    for await (const { key } of store.list(backupsPrefix)) utimesSync(join(stage.objectsRoot, key), longAgo, longAgo)
    const young = await insert('FAILED')
    const foreign = 'backups/readme.txt'
    await store.put(foreign, Buffer.from('x'))
    const lost = await store.openUpload(backupArchiveKey(newId()))
    const live = await store.openUpload(backupArchiveKey(old.running))
    await stage.db.updateTable('backups.backups').set({ upload_id: live }).where('id', '=', old.running).execute()
    for (const upload of [lost, live]) utimesSync(join(stage.objectsRoot, '.uploads', upload, 'key'), longAgo, longAgo)
    const fresh = await store.openUpload(backupArchiveKey(newId()))
    const processor = await stage.startProcessor(quick)
    await eventually(() => processor.counters().backupStore.uploads === 1 && processor.counters().backupStore.orphans === 2, {
      what: 'what is old and of none is gone',
    })
    const keys: string[] = []
    for await (const { key } of store.list(backupsPrefix)) keys.push(key)
    expect(keys.sort()).toEqual([...[old.kept, old.running, young].map(backupArchiveKey), foreign].sort())
    const uploads: string[] = []
    for await (const { upload } of store.uploads(backupsPrefix)) uploads.push(upload)
    expect(uploads.sort()).toEqual([live, fresh].sort())
    await host.close()
    await stage.close()
  })
})
