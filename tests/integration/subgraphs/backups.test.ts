import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completeBackup, endRestore, failBackup, lockBackup, lockRestore } from '../../../lib/db/backup-ends.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { keys } from '../../../lib/messages/routing.ts'
import { backupArchiveKey, backupIndexKey } from '../../../lib/storage/keys.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
let world: ReturnType<typeof makeWorld>
beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

const errors = '... on Error { code message } ... on InvalidInputError { issues { path message } }'
const backupFields =
  'id status phase trigger error locked sizeBytes warnings deletedAt downloadUrl deployment { id } session { id }'
const restoreFields = 'id status paths error backup { id } waitsFor { id trigger } deployment { id }'

const backups = (text: string, variables: object = {}): Promise<Answer> => stage.run('backups', text, { ...variables })
const create = async (input: object): Promise<Answer> =>
  (
    await backups(
      `mutation ($input: CreateBackupInput!) { createBackup(input: $input) { __typename ... on Backup { ${backupFields} } ... on Error { code message } } }`,
      { input },
    )
  ).createBackup
const restore = async (input: object): Promise<Answer> =>
  (
    await backups(
      `mutation ($input: RestoreBackupInput!) { restoreBackup(input: $input) { __typename ... on Restore { ${restoreFields} } ${errors} } }`,
      { input },
    )
  ).restoreBackup
const remove = async (id: string): Promise<Answer> =>
  (
    await backups('mutation ($id: ID!) { deleteBackup(id: $id) { ... on DeletePayload { id } ... on Error { code message } } }', {
      id,
    })
  ).deleteBackup
const update = async (id: string, input: object): Promise<Answer> =>
  (
    await backups(
      `mutation ($id: ID!, $input: UpdateBackupInput!) { updateBackup(id: $id, input: $input) { ... on Backup { ${backupFields} } ... on Error { code } } }`,
      { id, input },
    )
  ).updateBackup
const setPolicy = async (id: string, input: object): Promise<Answer> =>
  (
    await backups(
      `mutation ($id: ID!, $input: BackupPolicyInput!) { updateBackupPolicy(serverGameConfigId: $id, input: $input) {
        ... on ServerGameConfig { id backupPolicy { saveHooks { before waitFor timeoutSeconds after } include exclude gzipLevel
          beforeStop beforeRestore keepLast keepDaily maxBackups maxBytes stallMinutes } } ${errors} } }`,
      { id, input },
    )
  ).updateBackupPolicy
const one = async (id: string): Promise<Answer> =>
  (await backups(`query ($id: ID!) { backup(id: $id) { ${backupFields} } }`, { id })).backup
const statusOf = async (id: string): Promise<string> =>
  (await stage.run('configs', `{ d: serverGameConfig(id: "${id}") { status } }`)).d.status
const stop = async (sessionId: string): Promise<Answer> =>
  (
    await stage.run(
      'sessions',
      'mutation ($input: StopSessionInput!) { stopSession(input: $input) { ... on Session { id status } ... on Error { code } } }',
      { input: { sessionId } },
    )
  ).stopSession
const commandsOf = async (serverId: string): Promise<Answer[]> => {
  const rows = await stage.db
    .selectFrom('outbox.messages')
    .select('body')
    .where('lane', '=', `host.${serverId}`)
    .orderBy('position')
    .execute()
  return rows.map(({ body }) => body)
}

/** As the processor does once all of it is stored. */
const complete = (id: string, bytes = 10): Promise<void> =>
  inTransaction(stage.db, async (tx) => {
    const facts = { sizeBytes: bytes, sha256: 'ab'.repeat(32), contentBytes: 20, entries: 2, warnings: ['odd'] }
    await completeBackup(tx, (await lockBackup(tx, id))!, facts)
  })
const stored = async (serverGameConfigId: string): Promise<string> => {
  const { id } = await create({ serverGameConfigId })
  await stage.store.put(backupArchiveKey(id), Buffer.from('0123456789'))
  await complete(id)
  return id
}

describe('a backup', () => {
  it('begins PENDING with its order for the host, and one at a time', async () => {
    const {
      deploymentId,
      serverId,
      id: sessionId,
    } = await world.session(
      { status: 'RUNNING', started_at: new Date() },
      { backup: { saveHooks: { before: ['save-all'], waitFor: 'Saved', after: ['save-on'] }, exclude: ['logs/**'] } },
    )
    const backup = await create({ serverGameConfigId: deploymentId, locked: true })
    expect(backup).toMatchObject({
      status: 'PENDING',
      trigger: 'MANUAL',
      locked: true,
      session: { id: sessionId },
      downloadUrl: null,
    })
    expect((await commandsOf(serverId)).at(-1)).toMatchObject({
      kind: 'backup.create',
      backupId: backup.id,
      sessionId,
      hooks: { before: ['save-all'], waitFor: 'Saved', timeoutSeconds: 60, after: ['save-on'] },
      exclude: ['logs/**'],
      actor: 'tester',
    })
    expect(await create({ serverGameConfigId: deploymentId })).toMatchObject({ __typename: 'ConflictError' })
    await world.setServer(serverId, { status: 'OFFLINE' })
    expect(await create({ serverGameConfigId: deploymentId })).toMatchObject({ __typename: 'UnavailableError' })
    expect(await create({ serverGameConfigId: crypto.randomUUID() })).toMatchObject({ __typename: 'NotFoundError' })
  })

  it('is listed with its deployment, looked at, downloaded, locked and deleted', async () => {
    const { id: deploymentId } = await world.deployment()
    const id = await stored(deploymentId)
    const backup = await one(id)
    expect(backup).toMatchObject({ status: 'COMPLETED', sizeBytes: 10, warnings: ['odd'], error: null })
    expect(backup.downloadUrl).toMatch(/^\/objects\/get\/backup-.*\.tar\.gz\/backups\//)
    const lines = [
      { path: 'data', kind: 'directory', bytes: 0, mode: 0o755, mtime: 1 },
      { path: 'data/level.dat', kind: 'file', bytes: 7, mode: 0o644, mtime: 1_700_000_000 },
      { path: 'data/world/region/r.0.0.mca', kind: 'file', bytes: 9, mode: 0o600, mtime: 2 },
      { path: 'data/world/region/r.0.1.mca', kind: 'file', bytes: 9, mode: 0o600, mtime: 2 },
      { path: 'volumes/mods/a.jar', kind: 'link', bytes: 0, mode: 0o777, mtime: 3 },
    ]
    await stage.store.put(backupIndexKey(id), gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')))
    const files = async (args: string): Promise<Answer> =>
      (
        await backups(
          `query ($id: ID!) { backupFiles(backupId: $id ${args}) { nodes { path name kind bytes modifiedAt } pageInfo { hasNextPage endCursor } } }`,
          { id },
        )
      ).backupFiles
    const names = async (args: string) => (await files(args)).nodes.map(({ name, kind }: Answer) => `${kind} ${name}`)
    expect(await names('')).toEqual(['DIRECTORY data', 'DIRECTORY volumes'])
    expect(await names(', path: "data/"')).toEqual(['FILE level.dat', 'DIRECTORY world'])
    expect(await names(', path: "volumes/mods"')).toEqual(['LINK a.jar'])
    expect(await names(', path: "nothing"')).toEqual([])
    const page = await files(', path: "data/world/region", first: 1')
    expect(page.pageInfo.hasNextPage).toBe(true)
    expect(await names(`, path: "data/world/region", first: 1, after: "${page.pageInfo.endCursor}"`)).toEqual(['FILE r.0.1.mca'])

    expect((await update(id, { locked: true })).locked).toBe(true)
    expect(await remove(id)).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('locked') })
    await update(id, { locked: false })
    const list = async (filter: string) =>
      (
        await backups(`query ($d: ID!) { backups(serverGameConfigId: $d, filter: { ${filter} }) { nodes { id } } }`, {
          d: deploymentId,
        })
      ).backups.nodes
    expect(await list('statuses: [COMPLETED], triggers: [MANUAL]')).toEqual([{ id }])
    expect(await list('locked: true')).toEqual([])
    expect(await remove(id)).toEqual({ id })
    expect(await remove(id)).toEqual({ id })
    expect(await stage.store.stat(backupArchiveKey(id))).toBeUndefined()
    expect(await one(id)).toMatchObject({ downloadUrl: null, deletedAt: expect.any(String) })
    expect([await list(''), await list('deleted: true')]).toEqual([[], [{ id }]])
  })

  it('is there as before when the store does not remove it', async () => {
    const { id: deploymentId } = await world.deployment()
    const { id } = await create({ serverGameConfigId: deploymentId })
    await complete(id)
    const path = join(stage.objectsRoot, backupArchiveKey(id))
    mkdirSync(path, { recursive: true })
    expect(await remove(id)).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('still there') })
    expect(await one(id)).toMatchObject({ status: 'COMPLETED', deletedAt: null })
    rmSync(path, { recursive: true })
    expect(await remove(id)).toEqual({ id })
  })

  it('can be cancelled, which its host and its followers learn', async () => {
    const { id: serverGameConfigId, serverId } = await world.deployment()
    const { id } = await create({ serverGameConfigId })
    const events = await stage.subscribe('backups', `subscription { backupChanged(backupId: "${id}") { status error } }`)
    expect((await events.next()).backupChanged).toEqual({ status: 'PENDING', error: null })
    expect(await remove(id)).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('PENDING') })
    const cancel = `mutation { cancelBackup(id: "${id}") { ... on Backup { status error } } }`
    const ended = { status: 'FAILED', error: 'Cancelled by tester.' }
    expect((await backups(cancel)).cancelBackup).toEqual(ended)
    expect((await backups(cancel)).cancelBackup).toEqual(ended)
    expect((await commandsOf(serverId)).filter(({ kind }) => kind === 'backup.cancel')).toMatchObject([{ jobId: id }])
    await world.announce(keys.changedBackup(serverId, id), { kind: 'changed.backup', backupId: id, serverId })
    expect((await events.next()).backupChanged).toEqual(ended)
    await events.completed()
    expect(await remove(id)).toEqual({ id })
  })
})

describe('the policy of backups', () => {
  it('has defaults, changes by what is given, and tells every fault at once', async () => {
    const { id } = await world.deployment()
    const changed = await setPolicy(id, { keepLast: 3, saveHooks: { before: ['save'] }, maxBytes: 2 ** 40 })
    expect(changed.backupPolicy).toMatchObject({
      keepLast: 3,
      keepDaily: null,
      gzipLevel: 6,
      beforeRestore: true,
      maxBytes: 2 ** 40,
    })
    expect(changed.backupPolicy.saveHooks).toEqual({ before: ['save'], waitFor: null, timeoutSeconds: 60, after: [] })
    const again = await setPolicy(id, { keepLast: null, exclude: ['tmp'] })
    expect(again.backupPolicy).toMatchObject({ keepLast: null, exclude: ['tmp'], maxBytes: 2 ** 40 })
    const refused = await setPolicy(id, {
      gzipLevel: 10,
      keepDaily: 0,
      stallMinutes: 0,
      include: ['/etc', '../x', ''],
      saveHooks: { before: ['a\nb'], waitFor: '(', timeoutSeconds: 601 },
    })
    expect(refused.issues.map(({ path }: Answer) => path).sort()).toEqual([
      'gzipLevel',
      'include.0',
      'include.1',
      'include.2',
      'keepDaily',
      'saveHooks.before.0',
      'saveHooks.timeoutSeconds',
      'saveHooks.waitFor',
      'stallMinutes',
    ])
    expect(await setPolicy(crypto.randomUUID(), {})).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('refuses more backups than the quota', async () => {
    const { id } = await world.deployment()
    await setPolicy(id, { maxBackups: 1 })
    const kept = await stored(id)
    expect(await create({ serverGameConfigId: id })).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('may have 1'),
    })
    await remove(kept)
    expect(await create({ serverGameConfigId: id })).toMatchObject({ status: 'PENDING' })
  })
})

describe('a restore', () => {
  it('holds the deployment until it is over, and tells what is wrong with its input', async () => {
    const { id: deploymentId, serverId } = await world.deployment()
    const backupId = await stored(deploymentId)
    const bad = await restore({ backupId, paths: ['/etc', 'data/../x', 'other', ''] })
    expect(bad.issues).toHaveLength(4)
    const made = await restore({ backupId, paths: ['data/world/'] })
    expect(made).toMatchObject({ status: 'PENDING', paths: ['data/world'], waitsFor: null, deployment: { id: deploymentId } })
    expect((await commandsOf(serverId)).at(-1)).toMatchObject({
      kind: 'backup.restore',
      restoreId: made.id,
      paths: ['data/world'],
    })
    expect(await statusOf(deploymentId)).toBe('RESTORING')
    expect(await world.start({ serverGameConfigId: deploymentId })).toMatchObject({ code: 'CONFLICT' })
    expect(await restore({ backupId })).toMatchObject({ code: 'CONFLICT' })
    expect(await remove(backupId)).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(made.id) })
    const events = await stage.subscribe('backups', `subscription { restoreChanged(restoreId: "${made.id}") { status } }`)
    expect((await events.next()).restoreChanged).toEqual({ status: 'PENDING' })
    await inTransaction(stage.db, async (tx) =>
      endRestore(tx, (await lockRestore(tx, made.id))!, { status: 'COMPLETED', error: null, judged: false }),
    )
    await world.announce(keys.changedBackup(serverId, backupId), { kind: 'changed.backup', backupId, serverId })
    expect((await events.next()).restoreChanged).toEqual({ status: 'COMPLETED' })
    await events.completed()
    expect(await statusOf(deploymentId)).toBe('ACTIVE')
    const found = await backups(
      `{ restore(id: "${made.id}") { ${restoreFields} } backup(id: "${backupId}") { restores { nodes { id } } } }`,
    )
    expect(found).toMatchObject({ restore: { status: 'COMPLETED' }, backup: { restores: { nodes: [{ id: made.id }] } } })
  })

  it('waits for a backup of what it replaces, and can do without', async () => {
    const { deploymentId, id: sessionId, serverId } = await world.session({ started_at: new Date() })
    const backupId = await stored(deploymentId)
    expect(await restore({ backupId })).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('live') })
    await world.endSession(sessionId)
    const made = await restore({ backupId })
    expect(made.waitsFor).toMatchObject({ trigger: 'BEFORE_RESTORE' })
    expect((await commandsOf(serverId)).at(-1)).toMatchObject({ kind: 'backup.create' })
    await inTransaction(stage.db, async (tx) => {
      await failBackup(tx, (await lockBackup(tx, made.waitsFor.id))!, 'The disk is full.', { tellHost: false })
    })
    const { restore: failed } = await backups(`{ restore(id: "${made.id}") { status error } }`)
    expect(failed).toMatchObject({ status: 'FAILED', error: expect.stringContaining('The disk is full. ') })
    const without = await restore({ backupId, withoutBackup: true })
    expect(without).toMatchObject({ status: 'PENDING', waitsFor: null })
  })

  it('is refused into another game, and goes into another deployment of the same', async () => {
    const gameConfigId = await world.config()
    const serverId = await world.server()
    await world.setServer(serverId, { status: 'ONLINE' })
    const [from, to] = [await world.deploy({ serverId, gameConfigId }), await world.deploy({ serverId, gameConfigId })]
    const backupId = await stored(from.id)
    const { id: other } = await world.deployment()
    expect(await restore({ backupId, serverGameConfigId: other })).toMatchObject({
      message: expect.stringContaining('another game'),
    })
    expect(await restore({ backupId, serverGameConfigId: to.id })).toMatchObject({ deployment: { id: to.id } })
  })
})

describe('a stop with a backup before it', () => {
  it('lets the session go on until the backup is over, and stops at once when asked again', async () => {
    const { deploymentId, id, serverId } = await world.session({ status: 'RUNNING', started_at: new Date() })
    await setPolicy(deploymentId, { beforeStop: true })
    expect(await stop(id)).toEqual({ id, status: 'RUNNING' })
    const text = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Session { stopsAfter { id trigger status } } } }`
    const stopsAfter = async () => (await backups(text, { r: [{ __typename: 'Session', id }] }))._entities[0].stopsAfter
    const first = await stopsAfter()
    expect(first).toMatchObject({ trigger: 'BEFORE_STOP', status: 'PENDING' })
    expect((await commandsOf(serverId)).map(({ kind }) => kind)).toEqual(['session.start', 'backup.create'])
    expect(await stop(id)).toEqual({ id, status: 'STOPPING' })
    await complete(first.id)
    expect(await stopsAfter()).toBeNull()
    expect((await commandsOf(serverId)).map(({ kind }) => kind)).toEqual(['session.start', 'backup.create', 'session.stop'])
  })

  it('stops at once where none can be begun, and the list of backups tells why', async () => {
    const { deploymentId, id } = await world.session({ status: 'RUNNING', started_at: new Date() })
    await setPolicy(deploymentId, { beforeStop: true })
    await create({ serverGameConfigId: deploymentId })
    expect(await stop(id)).toEqual({ id, status: 'STOPPING' })
    const { backups: list } = await backups(
      `query ($d: ID!) { backups(serverGameConfigId: $d, filter: { triggers: [BEFORE_STOP] }) { nodes { status error } } }`,
      { d: deploymentId },
    )
    expect(list.nodes).toEqual([{ status: 'FAILED', error: 'It was not begun. A backup of this deployment is under way.' }])
  })
})
