import { createHash, randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { ok } from '../support/ok.ts'
import * as operations from '../support/operations.ts'
import { deploy, deployConfig } from '../support/play.ts'
import { readTree } from '../support/tree.ts'
import { useStack } from '../support/use-stack.ts'

const mebibyte = 1024 * 1024

describe('saves', () => {
  const { stack, play } = useStack({ topology: 'one' })
  const { fakeGame } = inject('images')
  const run: typeof Client.run = (...args) => stack().client.run(...args)

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
    expect(await restoreNow(id)).toMatchObject({ status: 'COMPLETED', error: null, deployment: { status: 'INACTIVE' } })
  }

  it('a world that is played is saved by its console, looked into, downloaded, and there again', async () => {
    const { importPreset } = await run(operations.importPreset, { input: { name: 'freeciv' } })
    const parameters = { MIN_PLAYERS: 1, AI_FILL: 3 }
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
    expect(first.logs.texts('INPUT')).toEqual([...saveHooks.before, ...saveHooks.after])
    const saved = await readFile(join(volumeOf(world.id), 'world.sav.xz'))

    const { backupFiles } = await run(operations.backupFiles, { backupId: id, path: 'data' })
    expect(backupFiles.nodes.map(({ path }) => path)).toEqual(['data/manman.serv', 'data/world.sav.xz'])
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
    await second.type('load /data/world')
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
    return { ...deployment, volume, tree: await readTree(volume) }
  }

  it('an agent that is killed in the middle of the upload, and of the restore, brings both to their end', async () => {
    const deployment = await deployVolume()
    const id = await begin(deployment.id)
    await eventually(async () => ((await backupNow(id)).bytesDone ?? 0) > 0, { what: 'some of it is stored' })
    await stack().killHost()
    await stack().startHost()
    await completed(id)
    expect(await readTree(deployment.volume)).toEqual(deployment.tree)

    await writeFile(join(deployment.volume, 'settings.json'), 'broken')
    const before = await readTree(deployment.volume)
    const restoreId = await restore(id)
    await eventually(async () => (await restoreNow(restoreId)).status !== 'PENDING', { what: 'the restore is under way' })
    await stack().killHost()
    expect([before, deployment.tree]).toContainEqual(await readTree(deployment.volume))
    await stack().startHost()
    await restored(restoreId)
    expect(await readTree(deployment.volume)).toEqual(deployment.tree)
  })

  it('what a dead machine had is there on another one', async () => {
    const deployment = await deployVolume()
    const { id } = await completed(await begin(deployment.id))
    await stack().killHost()
    await rm(deployment.volume, { recursive: true })
    const other = await stack().addServer('other')
    const { gameConfigId } = deployment
    const there = await deployConfig({ client: stack().client, serverId: other.id }, gameConfigId, {})
    await restored(await restore(id, there.id))
    expect(await readTree(volumeOf(there.id, other.dataDir))).toEqual(deployment.tree)
    await stack().startHost()
  })
})
