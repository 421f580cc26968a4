import { createHash } from 'node:crypto'
import type { ContainerCreateOptions } from 'dockerode'
import type { PortBinding, SessionSpec } from '../../lib/messages/session-spec.ts'
import { memoLabel, resourceName, type SessionLabels, sessionLabels, specHashLabel } from './labels.ts'
import type { FileOwner } from './passwd.ts'

/** A directory of this machine, and where the game sees it. */
export interface VolumeMount {
  hostPath: string
  /** Absolute, inside the container. */
  mountPath: string
  readOnly: boolean
}

/** All that a session's container is made of. */
export interface ContainerSpec {
  labels: SessionLabels
  spec: SessionSpec
  /** Kept with the container for a host that has lost its files; what it says is the host's own. */
  memo: string
  /** The deployment's own volume and the further ones; the directories exist. */
  mounts: readonly VolumeMount[]
  /** Id of the session's network; null for the machine's. */
  networkId: string | null
  /** Puts secrets where their marks are, in arguments and environment. */
  reveal(text: string): string
  /** Writes what the game finds in its volumes, which belong to `owner` by then. */
  fill(owner: FileOwner): Promise<void>
}

const defaultPids = 512
/** Outside the memory limit's page cache it counts as the game's memory, so it is bounded. */
const tmpfs = 'rw,exec,nosuid,nodev,mode=1777,size=104857600'
/** Without `compress: false`, reading with `since` skips compressed files, and a resume would lose their lines. */
/** The driver that keeps a game's output for us to read; it must be there, whatever the engine's default is. */
export const logDriver = 'local'

const logConfig = { Type: logDriver, Config: { 'max-size': '10m', 'max-file': '5', compress: 'false' } }

const mebibyte = 1024 * 1024

/** The same for the same spec: tells whether a container is still what its session wants. */
export const specHash = (spec: SessionSpec): string => {
  const stable = JSON.stringify(spec, (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
  return createHash('sha256').update(stable).digest('hex')
}

const portKey = (port: PortBinding): string => `${port.containerPort}/${port.protocol.toLowerCase()}`

const portBindings = (ports: readonly PortBinding[]): Record<string, { HostIp: string; HostPort: string }[]> => {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const port of ports) {
    const list = bindings[portKey(port)] ?? []
    list.push({ HostIp: port.bindAddress, HostPort: String(port.hostPort) })
    bindings[portKey(port)] = list
  }
  return bindings
}

const limits = ({ memoryMb, cpus, pids }: SessionSpec['resources']) => ({
  // Memory without swap on top: a game over its limit is ended and said to be out of memory, instead of crawling.
  ...(memoryMb === null ? {} : { Memory: memoryMb * mebibyte, MemorySwap: memoryMb * mebibyte }),
  ...(cpus === null ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
  PidsLimit: pids ?? defaultPids,
})

const hostConfig = ({ spec, mounts, networkId }: ContainerSpec): NonNullable<ContainerCreateOptions['HostConfig']> => ({
  NetworkMode: networkId ?? 'host',
  // On the machine's network there is nothing between a game and its ports.
  PortBindings: portBindings(networkId === null ? [] : spec.ports),
  // `Mounts`, not `Binds`: a directory that is not there is an error, and a colon in a path is only a colon.
  Mounts: mounts.map((mount) => ({ Type: 'bind', Source: mount.hostPath, Target: mount.mountPath, ReadOnly: mount.readOnly })),
  CapDrop: ['ALL'],
  CapAdd: [...spec.capabilities],
  SecurityOpt: ['no-new-privileges'],
  ReadonlyRootfs: spec.readOnlyRootfs,
  Tmpfs: { '/tmp': tmpfs },
  // Reaps the game's orphaned children, and passes signals on.
  Init: true,
  // The engine's default may be one that others can join.
  IpcMode: 'private',
  // A machine out of memory ends games, and not what keeps them.
  OomScoreAdj: 500,
  LogConfig: logConfig,
  // Restarting is decided by the host agent, which makes a new session of it.
  RestartPolicy: { Name: 'no' },
  AutoRemove: false,
  ...limits(spec.resources),
})

/** Docker's create options for a session. Pure. */
export const createOptions = (container: ContainerSpec): ContainerCreateOptions => {
  const { spec, labels, networkId } = container
  return {
    name: resourceName(labels.environment, labels.sessionId),
    Image: spec.image,
    ...(spec.entrypoint === null ? {} : { Entrypoint: [...spec.entrypoint] }),
    ...(spec.command === null ? {} : { Cmd: spec.command.map(container.reveal) }),
    ...(spec.user === null ? {} : { User: spec.user }),
    ...(spec.workingDir === null ? {} : { WorkingDir: spec.workingDir }),
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${container.reveal(value)}`),
    Labels: { ...sessionLabels('game', labels), ...specHashLabel(specHash(spec)), ...memoLabel(container.memo) },
    ExposedPorts: Object.fromEntries(networkId === null ? [] : spec.ports.map((port) => [portKey(port), {}])),
    Tty: spec.tty,
    // Stays open when the agent goes: a restarted one attaches again.
    OpenStdin: true,
    StdinOnce: false,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    HostConfig: hostConfig(container),
  }
}
