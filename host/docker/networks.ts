import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import type { NetworkInspectInfo } from 'dockerode'
import { NotFound, Unavailable } from '../../lib/domain/errors.ts'
import type { DeploymentLink } from '../../lib/messages/session-spec.ts'
import { bridgePrefix } from './bridges.ts'
import type { DockerClients } from './client.ts'
import { ask, dockerMessage, translateDockerError } from './errors.ts'
import {
  labelFilter,
  linkLabels,
  type Owner,
  readLinkLabels,
  readSessionLabels,
  resourceName,
  type SessionLabels,
  sessionLabels,
} from './labels.ts'
import { freeSubnets } from './subnets.ts'

interface SessionNetwork {
  id: string
  sessionId: string
  /** RFC 3339. */
  createdAt: string
}

/** A network of two: the container of the session that has the link, and that of the deployment it leads to. */
export interface LinkNetwork extends DeploymentLink {
  id: string
  name: string
  /** Whose link it is. */
  sessionId: string
}

/** Networks of their own for sessions: games reach the world and are reached by their ports, not by each other. */
export interface Networks {
  /** The session's network, made when there is none; resolves with its id. `Unavailable` when the pool is full. */
  ensure(labels: SessionLabels): Promise<string>
  /** The same for each of its links. Nobody is in them yet: see `makeLinks`. */
  ensureLinks(labels: SessionLabels, links: readonly DeploymentLink[]): Promise<void>
  /** Those of all live links. */
  listLinks(): Promise<LinkNetwork[]>
  /**
   * Removes the session's network and those of its links, out of which whoever is still there is taken first. Already gone is
   * fine; `Conflict` while its container is in it.
   */
  remove(sessionId: string): Promise<void>
  /** Ours, of all sessions; those of links are their session's. */
  list(): Promise<SessionNetwork[]>
}

/** Slots that turn out to be taken by something Docker knows and does not list. */
const maxAttempts = 64
const overlap = /overlaps|conflicts with network/i

const nameOf = ({ environment, sessionId }: SessionLabels, link?: DeploymentLink): string =>
  [resourceName(environment, sessionId), ...(link ? [link.alias] : [])].join('.')

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

  // The rest is made up, so that none is there already.
  const bridgeName = (): string => `${bridgePrefix(options.owner.serverId)}${randomBytes(4).toString('hex')}`

  const listOf = (sessionId?: string): Promise<NetworkInspectInfo[]> =>
    ask('network', sessionId ?? '', () =>
      calls.listNetworks({ filters: JSON.stringify(labelFilter('network', options.owner, sessionId)) }),
    )

  const takenSubnets = async (): Promise<string[]> => {
    const networks = await ask('networks', '', () => calls.listNetworks())
    const docker = networks.flatMap((network) => network.IPAM?.Config ?? []).map((config) => config.Subnet ?? '')
    return [...docker, ...machineSubnets(), ...reserved]
  }

  const createIn = async (subnet: string, labels: SessionLabels, link?: DeploymentLink): Promise<string> => {
    reserved.add(subnet)
    try {
      const network = await calls.createNetwork({
        Name: nameOf(labels, link),
        // Docker allows two networks of one name otherwise.
        CheckDuplicate: true,
        Driver: 'bridge',
        IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
        // The way out, and the ports, stay those of the session's own network.
        Internal: link !== undefined,
        // Nothing here knows of it, so nothing may go by it.
        EnableIPv6: false,
        // By its name the machine's firewall knows whose bridge it is, whatever address a game gives itself.
        Options: { 'com.docker.network.bridge.name': bridgeName() },
        Labels: { ...sessionLabels('network', labels), ...(link && linkLabels(link)) },
      })
      return network.id
    } finally {
      reserved.delete(subnet)
    }
  }

  const create = async (labels: SessionLabels, link?: DeploymentLink): Promise<string> => {
    let attempts = 0
    for (const subnet of freeSubnets(options.pool, await takenSubnets())) {
      if (reserved.has(subnet)) continue
      try {
        return await createIn(subnet, labels, link)
      } catch (error) {
        if (!overlap.test(dockerMessage(error))) throw translateDockerError(error, 'network', labels.sessionId)
        if (++attempts === maxAttempts) break
      }
    }
    throw new Unavailable(`No free network is left in ${options.pool}.`)
  }

  const runs = (id: string): Promise<boolean> =>
    calls
      .getContainer(id)
      .inspect()
      .then(
        (container) => container.State.Running,
        () => false,
      )

  /** An endpoint of a container that died badly keeps its network from going, as does the other end of a link. */
  const disconnect = async (network: NetworkInspectInfo): Promise<void> => {
    const info = (await calls.getNetwork(network.Id).inspect()) as NetworkInspectInfo
    const isLink = readLinkLabels(network.Labels) !== null
    for (const id of Object.keys(info.Containers ?? {})) {
      if (isLink || !(await runs(id))) await calls.getNetwork(network.Id).disconnect({ Container: id, Force: true })
    }
  }

  const removeOne = async (network: NetworkInspectInfo): Promise<void> => {
    try {
      await ask('network', network.Id, async () => {
        await disconnect(network)
        await calls.getNetwork(network.Id).remove()
      })
    } catch (error) {
      if (!(error instanceof NotFound)) throw error
    }
  }

  return {
    async ensure(labels) {
      const known = (await listOf(labels.sessionId)).find((network) => readLinkLabels(network.Labels) === null)
      return known?.Id ?? create(labels)
    },
    async ensureLinks(labels, links) {
      if (links.length === 0) return
      const known = new Set((await listOf(labels.sessionId)).map(({ Name }) => Name))
      for (const link of links) if (!known.has(nameOf(labels, link))) await create(labels, link)
    },
    async listLinks() {
      return (await listOf()).flatMap(({ Id: id, Name: name, Labels }) => {
        const [labels, link] = [readSessionLabels(Labels), readLinkLabels(Labels)]
        return labels === null || link === null ? [] : [{ id, name, sessionId: labels.sessionId, ...link }]
      })
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
