import type { PortBinding } from '../../lib/messages/session-spec.ts'
import { dockerMessage, dockerStatus, StartFailure, translateDockerError } from './errors.ts'
import type { Program } from './socket-owner.ts'

const portTaken = /address already in use|port is already allocated/i
const noSpace = /no space left on device/i
/** Faults of what the game's configuration asks for, in the words of Docker and runc. */
const badConfig = [
  /executable file not found/i,
  /no such file or directory/i,
  /permission denied/i,
  /unable to find user/i,
  /unable to find group/i,
  /no matching entries in (passwd|group)/i,
  /mount path must be absolute|invalid mount (path|target|config)/i,
  /duplicate mount point/i,
  /invalid (capability|containerport|port)/i,
  /unknown capability|CapAdd/i,
  /minimum memory limit|range of CPUs/i,
  /memory limit too low/i,
  /cannot assign requested address/i,
  /working directory .* is invalid|chdir to cwd/i,
  /not a directory/i,
]

/** `docker-init` is the engine's own part: a machine without it can't run any session. */
const engineFault = /docker-init/i

/** The address and port in `listen tcp4 0.0.0.0:25565: bind: …` and `Bind for 0.0.0.0:25565 failed: …`. */
const portIn = (message: string): number | null => {
  const match = /:(\d+)(?::|\/(?:tcp|udp)|\s+failed)/i.exec(message.replace(/:(\d+):[\d.]+:(\d+)\//, ':$1/'))
  return match === null ? null : Number(match[1])
}

const protocolIn = (message: string): 'TCP' | 'UDP' | null => {
  const match = /\b(tcp|udp)[46]?\b/i.exec(message)
  return match === null ? null : (match[1]!.toUpperCase() as 'TCP' | 'UDP')
}

/** Docker's own program that listens for a container's published port. */
const dockerProxy = 'docker-proxy'

const ownerWords = (owner: Program | null): string => {
  if (owner === null) return 'another program on this machine'
  if (owner.name === dockerProxy) return `a container on this machine that publishes it (${dockerProxy}, process ${owner.pid})`
  return `${owner.name} (process ${owner.pid}) on this machine`
}

/** Names the port, as the operator knows it, and who on this machine has it, where that is known. */
export const portTakenFailure = (
  port: Pick<PortBinding, 'name' | 'hostPort' | 'protocol' | 'bindAddress'>,
  owner: Program | null,
  cause?: unknown,
): StartFailure =>
  new StartFailure(
    'PORT_TAKEN',
    `Port ${port.hostPort}/${port.protocol} (${port.name}) on ${port.bindAddress} is taken by ${ownerWords(owner)}.`,
    { cause },
  )

const describePort = (message: string, ports: readonly PortBinding[], cause: unknown): StartFailure => {
  const number = portIn(message)
  const protocol = protocolIn(message)
  const candidates = ports.filter((port) => port.hostPort === number)
  const port = candidates.find((one) => one.protocol === protocol) ?? candidates[0]
  if (port !== undefined) return portTakenFailure(port, null, cause)
  return new StartFailure('PORT_TAKEN', `A port is taken by another program on this machine: ${message}`, { cause })
}

/**
 * Docker's refusal to create or start a container: a `StartFailure` when trying again would fail the same way,
 * else what `translateDockerError` makes of it (the engine away, the container gone).
 */
export const translateStartError = (error: unknown, containerId: string, ports: readonly PortBinding[]): unknown => {
  const status = dockerStatus(error)
  if (status === null || status === 404) return translateDockerError(error, 'container', containerId)
  const message = dockerMessage(error)
  if (portTaken.test(message)) return describePort(message, ports, error)
  if (noSpace.test(message)) return new StartFailure('DISK_FULL', 'The disk of this machine is full.', { cause: error })
  if (engineFault.test(message))
    return new StartFailure('DOCKER_ERROR', `Docker is not complete on this machine: ${message}`, { cause: error })
  if (status === 400 || badConfig.some((pattern) => pattern.test(message))) {
    return new StartFailure('BAD_CONFIG', `The game can't be started as it is configured: ${message}`, { cause: error })
  }
  return translateDockerError(error, 'container', containerId)
}
