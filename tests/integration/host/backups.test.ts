import { randomBytes } from 'node:crypto'
import { chmod, chown, link, lutimes, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../../lib/process/new-id.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { makeBackupControl } from '../../support/backup-control.ts'
import { eventually } from '../../support/eventually.ts'
import { openStorePeer, type StorePeer } from '../../support/store-peer.ts'
import { treeOf } from '../../support/tree.ts'

let host: AgentHarness
let store: StorePeer
let control: Awaited<ReturnType<typeof makeBackupControl>>
beforeAll(async () => {
  host = await makeAgentHarness()
  store = await openStorePeer()
  control = await makeBackupControl(host, store)
  await host.startAgent('until-ready', undefined, { backupLimits: { stallMs: 700, askLimitMs: 1_000 } })
})
afterAll(async () => {
  await control.close()
  await host.close()
  await store.close()
})

const mebibyte = 1024 * 1024
const volumeOf = (id: string, further = '') => join(host.dataDir, `gsc-agent-test-${id}${further}`)

/** A volume as games make them, of so many bytes that do not pack. */
const makeVolume = async (id: string, largeBytes = 100_000): Promise<string> => {
  const volume = volumeOf(id)
  await mkdir(join(volume, 'world', 'region'), { recursive: true })
  await mkdir(join(volume, 'empty'))
  await writeFile(join(volume, 'world', 'region', 'r.0.0.mca'), randomBytes(largeBytes))
  await writeFile(join(volume, 'world', 'level.dat'), 'level')
  await writeFile(join(volume, 'server.properties'), 'motd=ü\n')
  await link(join(volume, 'world', 'level.dat'), join(volume, 'world', 'level.dat_old'))
  await symlink('world/level.dat', join(volume, 'current'))
  await symlink('/opt/game/steamclient.so', join(volume, 'steamclient.so'))
  await lutimes(join(volume, 'current'), 1_500_000_000, 1_500_000_000.5)
  await chown(join(volume, 'world', 'level.dat'), 1234, 4321)
  await chmod(join(volume, 'server.properties'), 0o4751)
  return volume
}
const spoolOf = (id: string): Promise<string[]> => readdir(join(host.dataDir, 'spool', id)).catch(() => [])
/** Nothing beside the volumes is left of any job. */
const isTidy = () =>
  eventually(
    async () =>
      (await readdir(host.dataDir)).every((name) => !/^\.(restore|old)-/.test(name)) &&
      (await readdir(join(host.dataDir, 'spool')).catch(() => [])).length === 0,
    { what: 'nothing is left over' },
  )
const backUp = async (id: string, change: object = {}): Promise<string> => {
  const backupId = await control.backup(id, change)
  await control.isCompleted(backupId)
  return backupId
}

describe('a backup that is restored', () => {
  it('is the same, byte for byte, also in another deployment; the index says what is in it', async () => {
    const id = newId()
    const volume = await makeVolume(id)
    await mkdir(volumeOf(id, '.logs'))
    await writeFile(join(volumeOf(id, '.logs'), 'latest.log'), 'log')
    const [before, logs] = [await treeOf(volume), await treeOf(volumeOf(id, '.logs'))]
    const backupId = await backUp(id, { volumes: ['logs'] })
    expect(await treeOf(volume)).toEqual(before)
    const { warnings, entries } = control.completed.get(backupId)!
    expect(warnings).toEqual([])
    const index = control.indexOf(backupId)
    expect(index.length).toBe(entries)
    expect(index.map(({ path }) => path)).toEqual(index.map(({ path }) => path).toSorted())
    expect(index).toContainEqual(
      expect.objectContaining({ path: 'data/server.properties', kind: 'file', mode: 0o4751, bytes: 8 }),
    )

    await rm(join(volume, 'world'), { recursive: true })
    await writeFile(join(volume, 'new'), 'made since')
    await control.isRestored(await control.restore(backupId, id, { volumes: ['logs'] }))
    expect(await treeOf(volume)).toEqual(before)
    const other = newId()
    await control.isRestored(await control.restore(backupId, other, { volumes: ['logs'] }))
    expect(await treeOf(volumeOf(other))).toEqual(before)
    expect(await treeOf(volumeOf(other, '.logs'))).toEqual(logs)
    await isTidy()
  })

  it('brings single paths back and leaves the rest as it is', async () => {
    const id = newId()
    const volume = await makeVolume(id)
    const backupId = await backUp(id)
    const region = (await treeOf(volume)).filter((line) => line.includes('r.0.0.mca'))
    await writeFile(join(volume, 'server.properties'), 'changed')
    await rm(join(volume, 'world', 'region'), { recursive: true })
    const paths = ['data/world/region/r.0.0.mca', 'data/empty']
    await control.isRestored(await control.restore(backupId, id, { paths }))
    const after = await treeOf(volume)
    expect(after.filter((line) => line.includes('r.0.0.mca'))).toEqual(region)
    const unchanged = await treeOf(volume)
    const restoreId = await control.restore(backupId, id, { paths: ['data/world', 'data/nowhere', 'data/nor/here'] })
    expect(await control.failed(restoreId)).toBe('The backup does not hold data/nowhere, data/nor/here. Nothing was changed.')
    expect(await treeOf(volume)).toEqual(unchanged)
    // A link that the game has put in the way is not followed.
    await rm(join(volume, 'world'), { recursive: true })
    await symlink(volumeOf(newId()), join(volume, 'world'))
    const linked = await treeOf(volume)
    expect(await control.failed(await control.restore(backupId, id, { paths }))).toMatch(
      /a symbolic link where a directory must be/,
    )
    expect(await treeOf(volume)).toEqual(linked)
    await isTidy()
  })

  it('says what it can not do at all: nothing is there, the disk is full, the order is refused, the door is not known', async () => {
    expect(await control.failed(await control.backup(newId()))).toMatch(/^There is nothing to back up yet/)
    const id = newId()
    const before = await treeOf(await makeVolume(id))
    control.setRefusal(() => ({ code: 'NOT_FOUND', message: 'There is no backup.' }))
    expect(await control.failed(await control.backup(id))).toBe('There is no backup.')
    control.setRefusal(() => null)
    control.setPrefix('/objects')
    expect(await control.failed(await control.backup(id))).toMatch(/Set MANMAN_JOIN_URL/)
    control.setPrefix(store.url)
    const backupId = await backUp(id)
    const huge = await control.restore(backupId, id, { contentBytes: 1e15 })
    expect(await control.failed(huge)).toMatch(/^The disk of this machine has \d+ MB left, of which/)
    expect(await treeOf(volumeOf(id))).toEqual(before)
    await isTidy()
  })
})

describe('a store with faults', () => {
  it.each([
    ['500', 500],
    ['503', 503],
    ['429', 429],
    ['an address that has expired', 403],
  ])('that answers %s is asked again, with the bytes from their begin', async (_, status) => {
    const id = newId()
    const before = await treeOf(await makeVolume(id, 17 * mebibyte))
    const refused = new Set<string>()
    store.setFault((request, response) => {
      const [address = ''] = (request.url ?? '').split('?')
      if (refused.has(address)) return false
      refused.add(address)
      request.once('data', () => response.writeHead(status).end('<Error><Message>no</Message></Error>'))
      request.resume()
      if (request.method === 'GET') response.writeHead(status).end()
      return true
    })
    const backupId = await backUp(id)
    await rm(volumeOf(id), { recursive: true })
    await control.isRestored(await control.restore(backupId, id))
    store.setFault(null)
    expect(refused.size).toBe(4)
    expect(await treeOf(volumeOf(id))).toEqual(before)
    await isTidy()
  })

  it('that cuts connections off in the middle, or stands still, is asked again; a download goes on where it was', async () => {
    const id = newId()
    const before = await treeOf(await makeVolume(id, 17 * mebibyte))
    let puts = 0
    const ranges: (string | undefined)[] = []
    store.setFault((request) => {
      puts++
      if (puts === 1) request.once('data', () => request.destroy())
      return puts <= 2 // the second one stands still
    })
    const backupId = await control.backup(id)
    await control.isCompleted(backupId)
    store.setFault((request, response) => {
      ranges.push(request.headers.range)
      if (ranges.length > 2) return false
      const content = store.objects.get(`${backupId}/archive`)!
      response.writeHead(ranges.length === 1 ? 200 : 206, { 'content-length': content.length })
      response.write(content.subarray((ranges.length - 1) * mebibyte, ranges.length * mebibyte))
      if (ranges.length === 1) setTimeout(() => response.destroy(), 100)
      return true
    })
    await rm(volumeOf(id), { recursive: true })
    await control.isRestored(await control.restore(backupId, id))
    store.setFault(null)
    expect(ranges).toEqual([undefined, `bytes=${mebibyte}-`, `bytes=${2 * mebibyte}-`])
    expect(await treeOf(volumeOf(id))).toEqual(before)
    await isTidy()
  })

  it('that refuses for good fails the backup with its words', async () => {
    const id = newId()
    const before = await treeOf(await makeVolume(id))
    store.setFault((request, response) => {
      request.resume()
      response.writeHead(413).end('<Error><Code>EntityTooLarge</Code><Message>Too large.</Message></Error>')
      return true
    })
    expect(await control.failed(await control.backup(id))).toBe("Part 1 can't be stored: The store answers 413: Too large.")
    store.setFault(null)
    expect(await treeOf(volumeOf(id))).toEqual(before)
    await isTidy()
  })

  it('that gives back another object restores nothing', async () => {
    const id = newId()
    const volume = await makeVolume(id)
    const backupId = await backUp(id)
    await writeFile(join(volume, 'server.properties'), 'changed')
    const before = await treeOf(volume)
    const whole = store.objects.get(`${backupId}/archive`)!
    const corrupted = Buffer.from(whole)
    corrupted[corrupted.length >> 1]! ^= 1
    for (const [object, words] of [
      [corrupted, /it has another SHA-256/],
      [Buffer.concat([whole, Buffer.from('x')]), /it has more than \d+ bytes/],
    ] as const) {
      store.objects.set(`${backupId}/archive`, object)
      expect(await control.failed(await control.restore(backupId, id))).toMatch(words)
      expect(await treeOf(volume)).toEqual(before)
    }
    await isTidy()
  })
})

describe('a control plane that is away', () => {
  it('is asked until it answers; what it cancels ends, and leaves everything as it was', async () => {
    const id = newId()
    const before = await treeOf(await makeVolume(id))
    let silent = 2
    control.setRefusal(() => (silent-- > 1 ? 'silent' : silent >= 0 ? { code: 'UNAVAILABLE', message: 'Later.' } : null))
    const backupId = await backUp(id)
    control.setRefusal(() => 'silent')
    const given = await control.backup(id)
    const restoring = await control.restore(backupId, id)
    await eventually(() => control.asks.some((ask) => 'backupId' in ask && ask.backupId === given), { what: 'it is asked' })
    await host.peer.send({ kind: 'backup.cancel', jobId: restoring, reason: 'Not wanted.' })
    await host.peer.send({ kind: 'backup.cancel', jobId: given, reason: 'No progress for 15 minutes.' })
    expect(await control.failed(given)).toBe('No progress for 15 minutes.')
    expect(await control.failed(restoring)).toBe('Not wanted.')
    control.setRefusal(() => null)
    expect(await treeOf(volumeOf(id))).toEqual(before)
    expect(await spoolOf(given)).toEqual([])
    await isTidy()
  })
})

describe('volumes that are discarded', () => {
  it('go as a whole, and nobody else’s', async () => {
    const [id, other] = [newId(), newId()]
    const before = await treeOf(await makeVolume(other))
    await makeVolume(id)
    await mkdir(volumeOf(id, '.logs'))
    await host.peer.send({ kind: 'volume.discard', serverGameConfigId: id, environment: 'agent-test' })
    await eventually(async () => (await readdir(host.dataDir)).every((name) => !name.includes(id)), { what: 'they are gone' })
    expect(await treeOf(volumeOf(other))).toEqual(before)
    await isTidy()
  })
})
