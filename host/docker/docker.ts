import type { Readable } from 'node:stream'
import type { Logger } from '../../lib/process/logger.ts'
import { makeDockerClients } from './client.ts'
import { type Containers, makeContainers } from './containers.ts'
import { type ContainerEvent, followEvents } from './events.ts'
import { type Images, makeImages } from './images.ts'
import { type EngineInfo, readEngineInfo } from './info.ts'
import { type GameInput, makeGameInput } from './input.ts'
import { type Links, makeLinks } from './links.ts'
import { type MachineHelper, makeMachineHelper, ownContainerId } from './machine-helper.ts'
import { makeNetworks, type Networks } from './networks.ts'
import { openOutput } from './output.ts'
import { readUsage, type Usage } from './stats.ts'

export interface DockerOptions {
  socketPath: string
  serverId: string
  environment: string
  /** Directory of the volumes; the same path on the machine and for this process. */
  dataDir: string
  /** A /16 for the sessions' networks. */
  networkPool: string
  logger: Logger
}

/** This machine's Docker engine, as far as it concerns our sessions. Every failure is one of our errors. */
export interface Docker {
  images: Images
  networks: Networks
  links: Links
  containers: Containers
  info(): Promise<EngineInfo>
  /** See `readUsage`. */
  usage(containerId: string): Promise<Usage | null>
  /** The stdin of a container; attaches with the first line. */
  input(containerId: string): GameInput
  /** See `openOutput`. */
  output(containerId: string, options: { follow: boolean; since: string | null; signal: AbortSignal }): Promise<Readable>
  /** See `followEvents`. */
  events(handlers: { onEvent: (event: ContainerEvent) => void; onConnected: () => void }): { close(): Promise<void> }
  /** See `makeMachineHelper`; null for an agent that runs in no container. */
  machineHelper(): Promise<MachineHelper | null>
  /** Ends the connections; streams are ended by their own signals. */
  close(): void
}

export const makeDocker = (options: DockerOptions): Docker => {
  const clients = makeDockerClients(options)
  const owner = { serverId: options.serverId, environment: options.environment }
  const networks = makeNetworks({ clients, owner, pool: options.networkPool })
  return {
    images: makeImages({ clients }),
    networks,
    links: makeLinks({ clients, owner, networks, logger: options.logger }),
    containers: makeContainers({ clients, owner, dataDir: options.dataDir }),
    info: () => readEngineInfo(clients),
    usage: (containerId) => readUsage(clients, containerId),
    input: (containerId) => makeGameInput({ clients, containerId }),
    output: (containerId, output) => openOutput(clients, containerId, output),
    events: (handlers) => followEvents({ clients, owner, logger: options.logger, ...handlers }),
    machineHelper: async () => {
      const containerId = await ownContainerId()
      return containerId === null ? null : makeMachineHelper({ clients, owner, containerId })
    },
    close: clients.close,
  }
}
