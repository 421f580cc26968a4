import type { ContainerInspectInfo } from 'dockerode'
import { describe, expect, it } from 'vitest'
import { candidatePaths } from '../../../../host/docker/executable.ts'
import { labelFilter, readSessionLabels, sessionLabels } from '../../../../host/docker/labels.ts'
import { observe } from '../../../../host/docker/observed.ts'
import { findTakenPort, parseListeners } from '../../../../host/docker/ports-in-use.ts'
import { volumeMounts } from '../../../../host/docker/volumes.ts'

const labels = { sessionId: 's', sgcId: 'd', serverId: 'h', environment: 'e', createdAt: '2026-01-01T00:00:00Z' }

const inspected = (state: object, given = sessionLabels('game', labels)): ContainerInspectInfo =>
  ({
    Id: 'c',
    Image: 'sha256:1',
    Created: '2026-01-01T00:00:00Z',
    Config: { Labels: given, Tty: false },
    State: { StartedAt: '2026-01-01T00:00:01Z', FinishedAt: '0001-01-01T00:00:00Z', ExitCode: 0, OOMKilled: false, ...state },
  }) as unknown as ContainerInspectInfo

describe('an observed container', () => {
  it.each([
    ['created', 'created'],
    ['running', 'running'],
    ['paused', 'running'],
    ['restarting', 'running'],
    ['exited', 'exited'],
    ['dead', 'exited'],
    ['removing', 'exited'],
  ])('that Docker calls %s is %s', (Status, state) => {
    expect(observe(inspected({ Status }))).toMatchObject({ state })
  })

  it('has an exit code only once it has exited', () => {
    expect(observe(inspected({ Status: 'running' }))).toMatchObject({ exitCode: null, finishedAt: null })
    const FinishedAt = '2026-01-01T00:00:09Z'
    expect(observe(inspected({ Status: 'exited', ExitCode: 3, FinishedAt }))).toMatchObject({
      exitCode: 3,
      finishedAt: FinishedAt,
    })
  })

  it.each([
    [true, 137, true],
    [true, 0, false],
    [true, 1, false],
    [false, 137, false],
  ])('with OOMKilled %s and exit code %i was itself out of memory: %s', (OOMKilled, ExitCode, oomKilled) => {
    expect(observe(inspected({ Status: 'exited', OOMKilled, ExitCode }))).toMatchObject({ oomKilled })
  })

  it('is none of ours without all labels', () => {
    expect(observe(inspected({ Status: 'running' }, {}))).toBeNull()
    expect(readSessionLabels({ ...sessionLabels('game', labels), 'manman.env': '' })).toBeNull()
  })
})

it('labels are read as they were written, and filter by machine and environment', () => {
  expect(readSessionLabels(sessionLabels('network', labels))).toMatchObject(labels)
  expect(labelFilter('game', labels, 's').label).toEqual([
    'manman.type=game',
    'manman.server_id=h',
    'manman.env=e',
    'manman.session_id=s',
  ])
})

describe('a port in use', () => {
  const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:63DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:9999 0100007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
`
  const tcp6 = `   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4 1
   1: 0000000000000000FFFF00000100007F:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4 1
`
  const udp = `   5: 0100007F:63DD 00000000:0000 07 00000000:00000000 00:00000000 00000000   100        0 5 2 0 0
`
  const listeners = [...parseListeners(tcp, 'TCP'), ...parseListeners(tcp6, 'TCP'), ...parseListeners(udp, 'UDP')]
  const port = (hostPort: number, protocol: 'TCP' | 'UDP', bindAddress = '0.0.0.0') => ({
    name: 'game',
    containerPort: 1,
    hostPort,
    protocol,
    bindAddress,
  })

  it('is read from the kernel’s table, listeners only', () => {
    expect(listeners).toEqual([
      { protocol: 'TCP', address: '127.0.0.1', port: 25_565, inode: 1 },
      { protocol: 'TCP', address: '0.0.0.0', port: 22, inode: 2 },
      { protocol: 'TCP', address: '::', port: 8_080, inode: 4 },
      { protocol: 'TCP', address: '127.0.0.1', port: 8_081, inode: 4 },
      { protocol: 'UDP', address: '127.0.0.1', port: 25_565, inode: 5 },
    ])
  })

  it.each([
    [port(25_565, 'TCP'), true],
    [port(25_565, 'TCP', '127.0.0.1'), true],
    [port(25_565, 'TCP', '10.0.0.1'), false],
    [port(25_565, 'UDP'), true],
    [port(22, 'UDP'), false],
    [port(22, 'TCP', '10.0.0.1'), true],
    [port(8_080, 'TCP', '10.0.0.1'), true],
    [port(0x9999, 'TCP'), false],
  ])('%j is taken: %s', (wanted, taken) => {
    expect(findTakenPort([port(1, 'TCP'), wanted], listeners)?.port ?? null).toEqual(taken ? wanted : null)
  })
})

it('looks for a program as the container would', () => {
  const env = ['A=1', 'PATH=/opt/bin:/bin']
  expect(candidatePaths('game', { workingDir: '', env })).toEqual(['/opt/bin/game', '/bin/game'])
  expect(candidatePaths('/game', { workingDir: '/data', env })).toEqual(['/game'])
  expect(candidatePaths('./game', { workingDir: '/data', env })).toEqual(['/data/game'])
  expect(candidatePaths('game', { workingDir: '', env: [] })).toContain('/usr/local/bin/game')
})

describe('volumes', () => {
  const where = { dataDir: '/srv', environment: 'prod', sgcId: 'd1' }

  it('lie side by side in the data directory', () => {
    const spec = { volumePath: '/data/game', volumes: [{ name: 'mods', mountPath: '/mods', readOnly: true }] }
    expect(volumeMounts({ ...where, spec })).toEqual([
      { hostPath: '/srv/gsc-prod-d1', mountPath: '/data/game', readOnly: false },
      { hostPath: '/srv/gsc-prod-d1.mods', mountPath: '/mods', readOnly: true },
    ])
  })

  it.each(['..', '../x', 'a/b', '', '.hidden'])('are not named %j', (name) => {
    expect(() =>
      volumeMounts({ ...where, spec: { volumePath: '/d', volumes: [{ name, mountPath: '/m', readOnly: false }] } }),
    ).toThrow(TypeError)
  })
})
