import { createHash, randomBytes } from 'node:crypto'
import { access, chown, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import { ok } from '../support/ok.ts'
import * as operations from '../support/operations.ts'
import { deploy, deployConfig } from '../support/play.ts'
import { treeOf } from '../support/tree.ts'
import { useStack } from '../support/use-stack.ts'

const mebibyte = 1024 * 1024

describe('saves', () => {
  const { stack, play, join: follow } = useStack({ topology: 'one' })
  const { fakeGame } = inject('images')
  const run: GraphqlClient['run'] = (...args) => stack().client.run(...args)

  const volumeOf = (id: string, dataDir = stack().dataDir): string => join(dataDir, `gsc-${stack().environment}-${id}`)

  const begin = async (serverGameConfigId: string): Promise<string> => {
    const { createBackup } = await run(operations.createBackup, { input: { serverGameConfigId } })
    return ok(createBackup, 'Backup').id
  }
  const backupNow = async (id: string) => (await run(operations.backupById, { id })).backup!
  const completed = async (id: string) => {
    const over = await eventually(
      async () => {
        const backup = await backupNow(id)
        return (backup.status === 'COMPLETED' || backup.status === 'FAILED') && backup
      },
      { what: `backup ${id} is over` },
    )
    expect(over).toMatchObject({ status: 'COMPLETED', error: null })
    return over
  }
  const restore = async (backupId: string, serverGameConfigId?: string): Promise<string> => {
    const input = { backupId, serverGameConfigId, withoutBackup: true }
    return ok((await run(operations.restoreBackup, { input })).restoreBackup, 'Restore').id
  }
  const restoreNow = async (id: string) => (await run(operations.restoreById, { id })).restore!
  const restored = async (id: string) => {
    const isOver = async () => ['COMPLETED', 'FAILED'].includes((await restoreNow(id)).status)
    await eventually(isOver, { what: `restore ${id} is over` })
    expect(await restoreNow(id)).toMatchObject({ status: 'COMPLETED', error: null, deployment: { status: 'ACTIVE' } })
  }

  it('a world that is played is saved by its console, looked into, downloaded, and there again', async () => {
    const { importPreset } = await run(operations.importPreset, { input: { name: 'freeciv' } })
    const parameters = { MIN_PLAYERS: 0, AI_FILL: 2 }
    const world = await deployConfig(stack(), ok(importPreset, 'GameConfig').id, { parameters, restartPolicy: { mode: 'NEVER' } })
    const saveHooks = {
      before: ['set timeout 77', 'save /data/world'],
      waitFor: 'Game saved as /data/world',
      timeoutSeconds: 30,
      after: ['set timeout 5'],
    }
    const input = { saveHooks, exclude: ['**/*.log'] }
    ok((await run(operations.updateBackupPolicy, { id: world.id, input })).updateBackupPolicy, 'ServerGameConfig')
    const first = await play(world)
    await first.ready()
    await first.type('start')
    await first.logs.line(/Creating a map of size/)
    await writeFile(join(volumeOf(world.id), 'old.log'), 'nobody wants to keep this')

    const id = await begin(world.id)
    const seen: string[] = []
    for await (const { backupChanged } of stack().client.subscribe(operations.backupChanged, { backupId: id })) {
      seen.push(backupChanged.status)
      if (['COMPLETED', 'FAILED'].includes(backupChanged.status)) break
    }
    expect(seen.at(-1)).toBe('COMPLETED')
    const backup = await completed(id)
    expect(backup).toMatchObject({ trigger: 'MANUAL', session: { id: first.id }, warnings: [] })
    await first.logs.line(/'timeout' has been set to 5\./)
    expect(first.logs.texts('INPUT')).toEqual(['start', ...saveHooks.before, ...saveHooks.after])
    const saved = await readFile(join(volumeOf(world.id), 'world.sav.xz'))

    const { backupFiles } = await run(operations.backupFiles, { backupId: id, path: 'data' })
    const paths = backupFiles.nodes.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['data/manman.serv', 'data/world.sav.xz']))
    expect(paths).not.toContain('data/old.log')
    const download = await fetch(new URL(backup.downloadUrl!, stack().address))
    const archive = Buffer.from(await download.arrayBuffer())
    expect(archive.length).toBe(backup.sizeBytes)
    expect(createHash('sha256').update(archive).digest('hex')).toBe(backup.sha256)
    expect(gunzipSync(archive).includes(saved)).toBe(true)

    await first.type('save /data/world')
    await first.logs.line(/'timeout' has been set to 5\./)
    await eventually(async () => !(await readFile(join(volumeOf(world.id), 'world.sav.xz'))).equals(saved), {
      what: 'another world was saved',
    })
    const { restoreBackup: refused } = await run(operations.restoreBackup, { input: { backupId: id } })
    expect(refused).toMatchObject({ __typename: 'ConflictError' })
    await first.stop()
    await first.ended()

    await restored(await restore(id))
    expect(await readFile(join(volumeOf(world.id), 'world.sav.xz'))).toEqual(saved)
    const second = await play(world)
    await second.ready()
    await second.type('load /data/world.sav.xz')
    await second.type('show timeout')
    await second.logs.line(/timeout.* 77/)
    await second.stop()
    await second.ended()
  })

  /** A deployment that never ran, with a volume as games leave them. */
  const deployVolume = async () => {
    const deployment = await deploy(stack(), { image: fakeGame, volumePath: '/data' })
    const volume = volumeOf(deployment.id)
    await mkdir(join(volume, 'world/region'), { recursive: true })
    for (let at = 0; at < 12; at++) await writeFile(join(volume, `world/region/r.${at}.mca`), randomBytes(4 * mebibyte))
    await writeFile(join(volume, 'settings.json'), '{"motd":"ünïcode"}', { mode: 0o640 })
    await symlink('settings.json', join(volume, 'latest'))
    for (const path of ['', 'world', 'settings.json']) await chown(join(volume, path), 1000, 1000)
    return { ...deployment, volume, tree: await treeOf(volume) }
  }

  it('an agent that is killed in the middle of the upload, and of the restore, brings both to their end', async () => {
    const deployment = await deployVolume()
    const id = await begin(deployment.id)
    await eventually(async () => ((await backupNow(id)).bytesDone ?? 0) > 0, { what: 'some of it is stored' })
    await stack().killHost()
    await stack().startHost()
    await completed(id)
    expect(await treeOf(deployment.volume)).toEqual(deployment.tree)

    await writeFile(join(deployment.volume, 'settings.json'), 'broken')
    const before = await treeOf(deployment.volume)
    const restoreId = await restore(id)
    await eventually(async () => (await restoreNow(restoreId)).status !== 'PENDING', { what: 'the restore is under way' })
    await stack().killHost()
    expect([before, deployment.tree]).toContainEqual(await treeOf(deployment.volume))
    await stack().startHost()
    await restored(restoreId)
    expect(await treeOf(deployment.volume)).toEqual(deployment.tree)
  })

  it('what a dead machine had is there on another one', async () => {
    const deployment = await deployVolume()
    const { id } = await completed(await begin(deployment.id))
    await stack().killHost()
    onTestFinished(() => stack().startHost())
    await rm(deployment.volume, { recursive: true })
    const other = await stack().addServer('other')
    const { gameConfigId } = deployment
    const there = await deployConfig({ client: stack().client, serverId: other.id }, gameConfigId, {})
    await restored(await restore(id, there.id))
    expect(await treeOf(volumeOf(there.id, other.dataDir))).toEqual(deployment.tree)
  })

  it('a game that is played moves to another machine with its world, and goes on there', async () => {
    const other = await stack().addServer('target')
    const deployment = await deploy(stack(), {
      image: fakeGame,
      volumePath: '/data',
      ports: [{ name: 'game', containerPort: 7777, protocol: 'TCP' }],
    })
    const first = await play(deployment)
    await first.until('RUNNING')
    const volume = volumeOf(deployment.id)
    await writeFile(join(volume, 'world.dat'), randomBytes(mebibyte))
    const world = await treeOf(volume)
    const move = { serverGameConfigId: deployment.id, toServerId: other.id }
    ok((await run(operations.transferDeployment, { input: move })).transferDeployment, 'ServerGameConfig')
    const now = async () => (await run(operations.transferOf, { id: deployment.id })).serverGameConfig!
    await eventually(async () => (await now()).transfer?.status !== 'RUNNING', { what: 'the move is over', limitMs: 90_000 })
    const there = await now()
    expect(there.transfer).toMatchObject({ status: 'COMPLETED', error: null })
    expect(there).toMatchObject({ status: 'ACTIVE', server: { id: other.id }, activeSession: { server: { id: other.id } } })
    expect(await first.row()).toMatchObject({ status: 'STOPPED', endReason: 'REQUESTED' })
    expect(await treeOf(volumeOf(deployment.id, other.dataDir))).toEqual(world)
    const isGone = () =>
      access(volume).then(
        () => false,
        () => true,
      )
    await eventually(isGone, { what: 'the first machine has let go of the world' })
    await follow(there.activeSession!.id).kill()
  })

  it('a schedule warns the players, saves, and restarts', async () => {
    const deployment = await deploy(stack(), { image: fakeGame, volumePath: '/data' })
    const first = await play(deployment)
    await first.until('RUNNING')
    const input = {
      serverGameConfigId: deployment.id,
      name: 'nightly',
      cron: '0 5 * * *',
      timeZone: 'Europe/Berlin',
      steps: [
        { kind: 'BACKUP' as const },
        { kind: 'RESTART' as const, warnings: [{ secondsBefore: 2, line: 'say restart in 2 seconds' }] },
      ],
    }
    const { createSchedule } = await run(operations.createSchedule, { input })
    const schedule = ok(createSchedule, 'Schedule')
    expect(schedule.nextRuns).toHaveLength(5)
    ok((await run(operations.runSchedule, { id: schedule.id })).runSchedule, 'ScheduleRun')
    await first.logs.line('[chat] restart in 2 seconds')
    await first.ended()
    const { activeSession } = await eventually(
      async () => {
        const seen = (await run(operations.transferOf, { id: deployment.id })).serverGameConfig!
        return seen.activeSession?.status === 'RUNNING' && seen
      },
      { what: 'it runs again' },
    )
    expect(activeSession!.id).not.toBe(first.id)
    const { serverGameConfig } = await run(operations.backupsOf, { id: deployment.id })
    expect(serverGameConfig!.backups!.nodes).toMatchObject([{ trigger: 'SCHEDULE', status: 'COMPLETED' }])
    await follow(activeSession!.id).kill()
  })
})
