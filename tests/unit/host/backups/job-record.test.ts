import { expect, it } from 'vitest'
import { applyJobCommand, type JobCommand, jobRecordSchema } from '../../../../host/backups/job-record.ts'
import { newId } from '../../../../lib/process/new-id.ts'

const of = { version: 1 as const, id: newId(), at: '2026-01-01T00:00:00.000Z', actor: 'test' }
const jobId = newId()
const order: JobCommand = {
  ...of,
  number: 1,
  kind: 'backup.create',
  backupId: jobId,
  serverGameConfigId: newId(),
  environment: 'test',
  volumes: [],
  sessionId: null,
  hooks: null,
  include: [],
  exclude: [],
  gzipLevel: 6,
  keepSpool: false,
}
const cancel: JobCommand = { ...of, number: 2, kind: 'backup.cancel', jobId, reason: 'Not wanted.' }

it('is the same when a command is applied twice, and can be written and read', () => {
  const ordered = applyJobCommand(undefined, order)
  expect(applyJobCommand(ordered, order)).toBe(ordered)
  const cancelled = applyJobCommand(ordered, cancel)
  expect(cancelled.cancelled).toBe('Not wanted.')
  expect(applyJobCommand(cancelled, { ...cancel, reason: 'Another.' })).toBe(cancelled)
  for (const record of [ordered, cancelled]) expect(jobRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record)
})

it('does nothing when its cancel came first, and tells nobody of it', () => {
  const tombstone = applyJobCommand(undefined, cancel)
  expect(tombstone).toMatchObject({ order: null, ended: { status: 'FAILED' }, reported: 1, revision: 1 })
  expect(applyJobCommand(tombstone, order)).toBe(tombstone)
})

it('is not given up once its swap has begun, or it has ended', () => {
  const ordered = applyJobCommand(undefined, order)
  const swapping = { ...ordered, swap: { moves: [], given: [], direction: 'forward' as const } }
  const ended = { ...ordered, ended: { status: 'FAILED' as const, error: 'x' } }
  expect(applyJobCommand(swapping, cancel)).toBe(swapping)
  expect(applyJobCommand(ended, cancel)).toBe(ended)
})
