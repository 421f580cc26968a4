import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newSessionRecord, type SessionRecord } from '../../../host/session-record.ts'
import { isLarger, volumeConditions } from '../../../host/volume-watch.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { bareSpec } from '../../support/bare-spec.ts'

const at = '2026-01-01T00:00:00.000Z'
const ending = { status: 'STOPPED', at, exitCode: 0, oomKilled: false, reason: 'EXITED', message: null } as const

/** A running session of a deployment with this name, larger than 5 MB. */
const session = (name: string, change: Partial<SessionRecord> = {}): SessionRecord =>
  newSessionRecord({
    sessionId: newId(),
    serverGameConfigId: newId(),
    environment: 'test',
    desired: 'run',
    startedAt: at,
    volumeLarge: true,
    spec: {
      ...bareSpec,
      resources: { ...bareSpec.resources, diskWarnMb: 5 },
      values: { 'deployment.name': { text: name, kind: 'text' } },
    },
    ...change,
  })

describe("a server's condition", () => {
  it('names the deployments that are too large and live, in an order that stays', () => {
    const large = [session('Survival'), session('Lobby')]
    const others = [session('ended', { ended: ending }), session('small', { volumeLarge: false })]
    const message = 'Volumes are larger than they should be: Lobby (more than 5 MB), Survival (more than 5 MB).'
    expect(volumeConditions([...large, ...others])).toEqual([{ kind: 'VOLUME_LARGE', message }])
    expect(volumeConditions(large.toReversed())).toEqual([{ kind: 'VOLUME_LARGE', message }])
    expect(volumeConditions(others)).toEqual([])
  })

  it('names ten of many', () => {
    const [condition] = volumeConditions(Array.from({ length: 12 }, (_, index) => session(`Game ${index + 10}`)))
    expect(condition!.message).toMatch(/Game 19 \(more than 5 MB\) and 2 more\.$/)
  })
})

describe('measuring', () => {
  let directory: string
  const block = 4_096
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'manman-measured-'))
    await mkdir(join(directory, 'a/b/c'), { recursive: true })
    await mkdir(join(directory, 'other'))
    await writeFile(join(directory, 'a/b/c/level'), Buffer.alloc(50 * block))
    await writeFile(join(directory, 'other/mods'), Buffer.alloc(50 * block))
    await symlink(directory, join(directory, 'a/around'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  it('sums all that is in all directories, and follows no link', async () => {
    const both = [join(directory, 'a'), join(directory, 'other')]
    expect(await isLarger(both, 99 * block)).toBe(true)
    expect(await isLarger(both, 130 * block)).toBe(false)
    expect(await isLarger([both[0]!], 75 * block)).toBe(false)
    expect(await isLarger([both[0]!], 49 * block)).toBe(true)
  })

  it('counts nothing for what is not there, and says nothing when it was stopped', async () => {
    expect(await isLarger([join(directory, 'gone'), join(directory, 'other/mods')], 0)).toBe(false)
    expect(await isLarger([directory], block, AbortSignal.abort())).toBeNull()
  })
})
