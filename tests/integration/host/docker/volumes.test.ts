import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeVolumes, volumeMounts } from '../../../../host/docker/volumes.ts'
import type { SessionSpec } from '../../../../lib/messages/session-spec.ts'
import { type Game, openSandbox, type Sandbox } from './sandbox.ts'

const exec = promisify(execFile)

let box: Sandbox
beforeAll(async () => {
  box = await openSandbox()
})
afterAll(() => box.close())

it('never leads out of the data directory', async () => {
  const elsewhere = path.join(box.dataDir, 'elsewhere')
  await mkdir(elsewhere)
  const spec = { volumePath: '/data', volumes: [] }
  const mounts = volumeMounts({ dataDir: box.dataDir, environment: 'test', sgcId: 'x', spec })
  await symlink(elsewhere, mounts[0]!.hostPath)
  await expect(makeVolumes(box.dataDir, mounts)).rejects.toThrow(/leads out/)
})

/** Runs one session of a deployment after the other, each to its end. */
const aDeployment = () => {
  const sgcId = randomUUID()
  const create = (spec: Partial<SessionSpec>): Promise<Game> => box.game(spec, { sgcId, start: false })
  return {
    /** Makes a container and does not start it: whom the volume belongs to is settled by then. */
    create,
    run: async (script: string, spec: Partial<SessionSpec> = {}): Promise<Game> => {
      const game = await create({ ...spec, command: ['/bin/sh', '-c', script] })
      await box.docker.containers.start(game.id, [])
      expect(await box.ended(game)).toMatchObject({ exitCode: 0 })
      return game
    },
  }
}

const chowns = { capabilities: ['CHOWN', 'DAC_OVERRIDE'] }
const install = { timeoutSeconds: 60 }

/** `uid:gid` of the volume and all that is in it. */
const ownersIn = async ({ volumePath }: Game): Promise<Set<string>> => {
  const paths = ['.', ...(await readdir(volumePath, { recursive: true }))]
  const all = await Promise.all(paths.map((name) => stat(path.join(volumePath, name))))
  return new Set(all.map(({ uid, gid }) => `${uid}:${gid}`))
}

describe('a volume belongs to whom its container runs as', () => {
  it('who can write to it from the first moment', async () => {
    const { run } = aDeployment()
    const game = await run('echo x > /data/game/level', { user: '1000:1001' })
    expect(await ownersIn(game)).toEqual(new Set(['1000:1001']))
  })

  it('but what an image that starts as root has made of it stays', async () => {
    const { run, create } = aDeployment()
    await run('mkdir /data/game/world; touch /data/game/world/level; busybox chown -R 5:6 /data/game', chowns)
    const next = await create(chowns)
    expect(await ownersIn(next)).toEqual(new Set(['5:6']))
  })

  it('also when that is another one now', async () => {
    const { run, create } = aDeployment()
    await run('mkdir /data/game/world; touch /data/game/world/level', { user: '1000:1001' })
    expect(await ownersIn(await create({ user: '7:8' }))).toEqual(new Set(['7:8']))
    expect(await ownersIn(await create({}))).toEqual(new Set(['0:0']))
    expect(await ownersIn(await create({ user: '1000:1001' }))).toEqual(new Set(['1000:1001']))
  })

  it.each(['1000:1001', '0:0'])('after an install step that ran as root: %s', async (user) => {
    const { run, create } = aDeployment()
    await run('mkdir /data/game/a; touch /data/game/a/b; busybox chown 5:6 /data/game/a', { ...install, ...chowns })
    expect(await ownersIn(await create({ user }))).toEqual(new Set([user]))
    // Root without capabilities can't write to what is another's.
    await run('echo y > /data/game/a/b', install)
    expect(await ownersIn(await create({ user }))).toEqual(new Set([user]))
  })

  it('also when somebody has put another in its place, and links are left alone', async () => {
    const { run, create } = aDeployment()
    const { volumePath } = await run('mkdir /data/game/world; touch /data/game/world/level', { user: '1000:1001' })
    const outside = path.join(box.dataDir, 'outside')
    await writeFile(outside, 'mine')
    await exec('chown', ['-hR', '5:5', volumePath])
    await symlink(outside, path.join(volumePath, 'link'))
    await create({ user: '1000:1001' })
    for (const name of ['.', 'world', 'world/level']) expect((await stat(path.join(volumePath, name))).uid).toBe(1000)
    expect((await stat(outside)).uid).toBe(process.getuid!())
    expect(await readFile(outside, 'utf8')).toBe('mine')
  })

  it('and what was right already is not touched', async () => {
    const { run, create } = aDeployment()
    const { volumePath } = await run('mkdir /data/game/world; touch /data/game/world/level', { user: '1000:1001' })
    const level = path.join(volumePath, 'world/level')
    const before = await stat(level)
    await exec('chown', ['5:5', volumePath])
    await create({ user: '1000:1001' })
    expect((await stat(level)).ctimeMs).toBe(before.ctimeMs)
    expect((await stat(volumePath)).uid).toBe(1000)
  })
})
