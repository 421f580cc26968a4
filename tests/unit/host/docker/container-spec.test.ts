import { describe, expect, it } from 'vitest'
import { type ContainerSpec, createOptions, specHash } from '../../../../host/docker/container-spec.ts'
import type { SessionSpec } from '../../../../lib/messages/session-spec.ts'
import { bareSpec } from '../../../support/bare-spec.ts'

const spec = bareSpec
const labels = { sessionId: 's1', sgcId: 'd1', serverId: 'h1', environment: 'prod', createdAt: '2026-01-01T00:00:00.000Z' }
const container = (given: Partial<SessionSpec> = {}): ContainerSpec => ({
  labels,
  spec: { ...spec, ...given },
  memo: '{}',
  mounts: [{ hostPath: '/srv/gsc-prod-d1', mountPath: '/data/game', readOnly: false }],
  networkId: 'n1',
  reveal: (text) => text,
  fill: async () => {},
})
const port = { name: 'game', containerPort: 25565, hostPort: 30000, protocol: 'TCP' as const, bindAddress: '0.0.0.0' }

describe('create options', () => {
  it('leave to the image what the spec does not set', () => {
    const options = createOptions(container())
    for (const key of ['Entrypoint', 'Cmd', 'User', 'WorkingDir']) expect(options).not.toHaveProperty(key)
    expect(options.HostConfig).not.toHaveProperty('Memory')
    expect(options.HostConfig).not.toHaveProperty('NanoCpus')
  })

  it('pass arguments as they are, never through a shell', () => {
    const options = createOptions(
      container({ entrypoint: ['/bin/game', '--name'], command: ['a b', '$HOME; rm -rf /', ''], env: { A: 'x=y z', B: '' } }),
    )
    expect(options).toMatchObject({
      Entrypoint: ['/bin/game', '--name'],
      Cmd: ['a b', '$HOME; rm -rf /', ''],
      Env: ['A=x=y z', 'B='],
    })
  })

  it('publish one container port on several addresses, and TCP beside UDP', () => {
    const ports = [port, { ...port, bindAddress: '::1' }, { ...port, protocol: 'UDP' as const, hostPort: 30001 }]
    const options = createOptions(container({ ports }))
    expect(options.HostConfig?.PortBindings).toEqual({
      '25565/tcp': [
        { HostIp: '0.0.0.0', HostPort: '30000' },
        { HostIp: '::1', HostPort: '30000' },
      ],
      '25565/udp': [{ HostIp: '0.0.0.0', HostPort: '30001' }],
    })
    expect(Object.keys(options.ExposedPorts ?? {})).toEqual(['25565/tcp', '25565/udp'])
  })

  it("publish nothing on the machine's network", () => {
    const options = createOptions({ ...container({ ports: [port], hostNetwork: true }), networkId: null })
    expect(options).toMatchObject({ ExposedPorts: {}, HostConfig: { NetworkMode: 'host', PortBindings: {} } })
  })

  it('harden every container, whatever its spec', () => {
    for (const given of [{}, { user: '0', capabilities: ['CHOWN'], tty: true }]) {
      expect(createOptions(container(given)).HostConfig).toMatchObject({
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        PidsLimit: 512,
        Init: true,
        IpcMode: 'private',
        OomScoreAdj: 500,
        RestartPolicy: { Name: 'no' },
        NetworkMode: 'n1',
        Tmpfs: { '/tmp': expect.stringMatching(/mode=1777.*size=\d+/) },
      })
    }
    expect(createOptions(container()).HostConfig).not.toHaveProperty('Privileged')
  })

  it('keep the log readable from any point: driver local, without compression', () => {
    expect(createOptions(container()).HostConfig?.LogConfig).toEqual({
      Type: 'local',
      Config: { 'max-size': '10m', 'max-file': '5', compress: 'false' },
    })
  })

  it('limit memory without swap, processors in billionths, and processes', () => {
    expect(createOptions(container({ resources: { memoryMb: 100, cpus: 1.5, pids: 7 } })).HostConfig).toMatchObject({
      Memory: 104_857_600,
      MemorySwap: 104_857_600,
      NanoCpus: 1_500_000_000,
      PidsLimit: 7,
    })
  })

  it('keep stdin open over attaches', () => {
    expect(createOptions(container())).toMatchObject({
      OpenStdin: true,
      StdinOnce: false,
      AttachStdin: false,
      AttachStdout: false,
    })
  })

  it('say whose the container is', () => {
    const options = createOptions(container())
    expect(options.name).toBe('manman-prod-s1')
    expect(options.Labels).toEqual({
      'manman.type': 'game',
      'manman.session_id': 's1',
      'manman.sgc_id': 'd1',
      'manman.server_id': 'h1',
      'manman.env': 'prod',
      'manman.created_at': '2026-01-01T00:00:00.000Z',
      'manman.spec_hash': specHash(spec),
      'manman.session': '{}',
    })
  })
})

describe('the hash of a spec', () => {
  it('depends on what it says and not on the order of its keys', () => {
    expect(specHash({ ...spec, env: { A: '1', B: '2' } })).toBe(specHash({ ...spec, env: { B: '2', A: '1' } }))
    expect(specHash({ ...spec, command: ['a', 'b'] })).not.toBe(specHash({ ...spec, command: ['b', 'a'] }))
    expect(specHash(spec)).not.toBe(specHash({ ...spec, tty: true }))
  })
})
