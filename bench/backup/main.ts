import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureBuilt } from '../../tests/support/built.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { ok } from '../../tests/support/ok.ts'
import { backupById, createBackup, restoreBackup, restoreById } from '../../tests/support/operations.ts'
import { deploy } from '../../tests/support/play.ts'
import { ensureDocker } from '../../tests/support/services.ts'
import { faultsOf, mib, type Outcome } from '../outcome.ts'
import { machine, makeSay, tableOf, writeJson } from '../report.ts'
import { openStage } from '../stage.ts'
import { startUsage } from '../usage.ts'
import { packRaw, unpackRaw } from './raw.ts'
import { fillVolume } from './volume.ts'

// `npm run bench backup [-- --gib 5]`: a deployment's volume into the store and back, with all of ManMan, against `tar | gzip` of
// the same files in the same run. Fails when anything is below its floor. docs/performance.md has what it said.

const gzipLevel = 6
const limitMs = 60 * 60_000
const memoryFloor = 150 * 1024 * 1024
const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '5' },
    json: { type: 'string', default: join(import.meta.dirname, '../results/backup.json') },
    profile: { type: 'string' },
  },
})
const gib = Number(values.gib)
if (!(gib > 0)) throw new Error('--gib must be a number above 0')

const startedAt = new Date()
const say = makeSay(startedAt)
await ensureBuilt()
await ensureDocker()
const loadBefore = machine().load
say('starting PostgreSQL, RabbitMQ, control plane and agent …')
const stage = await openStage({ name: 'backup', profile: values.profile && resolve(values.profile) })
const outcomes: Outcome[] = []
try {
  const deployment = await deploy(stage, { image: stage.image, volumePath: '/data' })
  const volume = join(stage.dataDir, `gsc-${stage.environment}-${deployment.id}`)
  mkdirSync(volume)
  const { files, bytes } = fillVolume(volume, gib * 1024 ** 3)
  say(`${files} files, ${mib(bytes)}`)
  const backupId = await measureBackup(deployment.id, volume, bytes)
  await measureRestore(deployment.id, backupId, bytes)
} finally {
  await stage.close()
}
writeJson(values.json, { at: startedAt.toISOString(), machine: machine(), loadBefore, gib, gzipLevel, outcomes })
console.log(`\n${tableOf(outcomes)}\n\n${JSON.stringify(machine())}; load before ${loadBefore.join(' ')}`)
process.exitCode = outcomes.some(({ faults }) => faults.length > 0) ? 1 : 0

async function measureBackup(deploymentId: string, volume: string, bytes: number): Promise<string> {
  const rawBefore = await packRaw(volume, gzipLevel)
  say(`tar | gzip: ${rate(bytes, rawBefore)}`)
  const usage = startUsage(stage.agent)
  const beganAt = performance.now()
  const { createBackup: begun } = await stage.client.run(createBackup, { input: { serverGameConfigId: deploymentId } })
  const { id } = ok(begun, 'Backup')
  const backup = await whenOver(async () => (await stage.client.run(backupById, { id })).backup)
  const seconds = (performance.now() - beganAt) / 1_000
  const { cores, maxRssBytes } = usage()
  say(`backup: ${rate(bytes, seconds)}`)
  const rawAfter = await packRaw(volume, gzipLevel)
  const rawSeconds = (rawBefore + rawAfter) / 2
  const ratio = rawSeconds / seconds
  outcomes.push({
    what: `backup of ${mib(bytes)}, ${mib(backup.sizeBytes ?? 0)} stored`,
    measured: `${rate(bytes, seconds)}: ${ratio.toFixed(2)}; agent ${cores.toFixed(2)} cores, ${mib(maxRssBytes)}`,
    raw: `tar | gzip -${gzipLevel}: ${rate(bytes, rawBefore)}, ${rate(bytes, rawAfter)}`,
    floor: '0.6, ≤ 150 MiB',
    goal: '0.9',
    faults: faultsOf([
      { is: ratio >= 0.6, fault: `${ratio.toFixed(2)} of tar | gzip is below 0.6` },
      { is: maxRssBytes <= memoryFloor, fault: `${mib(maxRssBytes)} are above ${mib(memoryFloor)}` },
    ]),
    reachesGoal: ratio >= 0.9,
    figures: { bytes, sizeBytes: backup.sizeBytes ?? 0, seconds, rawBefore, rawAfter, ratio, cores, maxRssBytes },
  })
  return id
}

async function measureRestore(deploymentId: string, backupId: string, bytes: number): Promise<void> {
  const usage = startUsage(stage.agent)
  const beganAt = performance.now()
  const input = { backupId, serverGameConfigId: deploymentId, withoutBackup: true }
  const { restoreBackup: begun } = await stage.client.run(restoreBackup, { input })
  const { id } = ok(begun, 'Restore')
  await whenOver(async () => (await stage.client.run(restoreById, { id })).restore)
  const seconds = (performance.now() - beganAt) / 1_000
  const { cores, maxRssBytes } = usage()
  const beside = join(stage.dataDir, 'unpacked')
  const rawSeconds = await unpackRaw(join(stage.objectsDir, 'backups', backupId, 'archive.tar.gz'), beside)
  rmSync(beside, { recursive: true })
  const ratio = rawSeconds / seconds
  outcomes.push({
    what: 'restore of it: download, verification, unpacking, swap',
    measured: `${rate(bytes, seconds)}: ${ratio.toFixed(2)}; agent ${cores.toFixed(2)} cores, ${mib(maxRssBytes)}`,
    raw: `gzip -d | tar -x: ${rate(bytes, rawSeconds)}`,
    floor: '≤ 150 MiB',
    goal: '',
    faults: faultsOf([{ is: maxRssBytes <= memoryFloor, fault: `${mib(maxRssBytes)} are above ${mib(memoryFloor)}` }]),
    reachesGoal: true,
    figures: { seconds, rawSeconds, ratio, cores, maxRssBytes },
  })
}

async function whenOver<Job extends { status: string; error?: string | null }>(
  read: () => Promise<Job | null | undefined>,
): Promise<Job> {
  let job: Job | null | undefined
  const isOver = async (): Promise<boolean> => {
    job = await read()
    return job?.status === 'COMPLETED' || job?.status === 'FAILED'
  }
  await eventually(isOver, { what: 'it is over', limitMs, everyMs: 200 })
  if (job?.status !== 'COMPLETED') throw new Error(job?.error ?? 'failed')
  return job
}

function rate(bytes: number, seconds: number): string {
  return `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`
}
