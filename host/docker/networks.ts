import { networkInterfaces } from 'node:os'
import type { NetworkInspectInfo } from 'dockerode'
import { NotFound, Unavailable } from '../../lib/domain/errors.ts'
import type { DockerClients } from './client.ts'
import { ask, dockerMessage, translateDockerError } from './errors.ts'
import { labelFilter, type Owner, readSessionLabels, resourceName, type SessionLabels, sessionLabels } from './labels.ts'
import { freeSubnets } from './subnets.ts'

interface SessionNetwork {
  id: string
  sessionId: string
  /** RFC 3339. */
  createdAt: string
}

/** Networks of their own for sessions: games reach the world and are reached by their ports, not by each other. */
export interface Networks {
  /** The session's network, made when there is none; resolves with its id. `Unavailable` when the pool is full. */
  ensure(labels: SessionLabels): Promise<string>
  /** Removes the session's network. Already gone is fine; `Conflict` while a container is in it. */
  remove(sessionId: string): Promise<void>
  /** Ours, of all sessions. */
  list(): Promise<SessionNetwork[]>
}

/** Slots that turn out to be taken by something Docker knows and does not list. */
const maxAttempts = 64
const overlap = /overlaps|conflicts with network/i

const machineSubnets = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map((address) => address.cidr ?? '')

export const makeNetworks = (options: {
  clients: DockerClients
  owner: Owner
  /** A /16 that the machine's own networks do not use; each session takes a /28 of it. */
  pool: string
}): Networks => {
  const { calls } = options.clients
  /** Subnets being created now: two sessions that start together must not try the same one. */
  const reserved = new Set<string>()

  const listOf = (sessionId?: string): Promise<NetworkInspectInfo[]> =>
    ask('network', sessionId ?? '', () =>
      calls.listNetworks({ filters: JSON.stringify(labelFilter('network', options.owner, sessionId)) }),
    )

  const takenSubnets = async (): Promise<string[]> => {
    const networks = await ask('networks', '', () => calls.listNetworks())
    const docker = networks.flatMap((network) => network.IPAM?.Config ?? []).map((config) => config.Subnet ?? '')
    return [...docker, ...machineSubnets(), ...reserved]
  }

  const createIn = async (subnet: string, labels: SessionLabels): Promise<string> => {
    reserved.add(subnet)
    try {
      const network = await calls.createNetwork({
        Name: resourceName(labels.environment, labels.sessionId),
        // Docker allows two networks of one name otherwise.
        CheckDuplicate: true,
        Driver: 'bridge',
        IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
        Labels: sessionLabels('network', labels),
      })
      return network.id
    } finally {
      reserved.delete(subnet)
    }
  }

  const create = async (labels: SessionLabels): Promise<string> => {
    let attempts = 0
    for (const subnet of freeSubnets(options.pool, await takenSubnets())) {
      if (reserved.has(subnet)) continue
      try {
        return await createIn(subnet, labels)
      } catch (error) {
        if (!overlap.test(dockerMessage(error))) throw translateDockerError(error, 'network', labels.sessionId)
        if (++attempts === maxAttempts) break
      }
    }
    throw new Unavailable(`No free network is left in ${options.pool}.`)
  }

  /** An endpoint of a container that died badly keeps its network from going. */
  const disconnectDead = async (network: NetworkInspectInfo): Promise<void> => {
    const info = (await calls.getNetwork(network.Id).inspect()) as NetworkInspectInfo
    for (const id of Object.keys(info.Containers ?? {})) {
      const running = await calls
        .getContainer(id)
        .inspect()
        .then(
          (container) => container.State.Running,
          () => false,
        )
      if (!running) await calls.getNetwork(network.Id).disconnect({ Container: id, Force: true })
    }
  }

  const removeOne = async (network: NetworkInspectInfo): Promise<void> => {
    try {
      await ask('network', network.Id, async () => {
        await disconnectDead(network)
        await calls.getNetwork(network.Id).remove()
      })
    } catch (error) {
      if (!(error instanceof NotFound)) throw error
    }
  }

  return {
    async ensure(labels) {
      const [known] = await listOf(labels.sessionId)
      return known?.Id ?? create(labels)
    },
    async remove(sessionId) {
      for (const network of await listOf(sessionId)) await removeOne(network)
    },
    async list() {
      const networks = await listOf()
      return networks.flatMap((network) => {
        const labels = readSessionLabels(network.Labels)
        return labels === null ? [] : [{ id: network.Id, sessionId: labels.sessionId, createdAt: labels.createdAt }]
      })
    },
  }
}
