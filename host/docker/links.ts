import type { ContainerInfo } from 'dockerode'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import type { Logger } from '../../lib/process/logger.ts'
import type { DockerClients } from './client.ts'
import { ask, dockerMessage, translateDockerError } from './errors.ts'
import { labelFilter, type Owner, readSessionLabels } from './labels.ts'
import type { LinkNetwork, Networks } from './networks.ts'

/** Puts containers into the networks of links; docs/decisions/0017 says why so. */
export interface Links {
  /**
   * Before a session's container starts: puts it into the networks of its links and of links to it, and whoever runs at their other
   * ends. Of two that start at once the later one finds the earlier. Already so is success.
   */
  join(session: { sessionId: string; sgcId: string }): Promise<void>
  /** Puts everybody where it belongs: heals what was undone by hand, or failed for the other end of a link. */
  look(): Promise<void>
}

interface Member {
  id: string
  sessionId: string
  sgcId: string
  networks: ReadonlySet<string>
}

export const makeLinks = (options: {
  clients: DockerClients
  owner: Owner
  networks: Pick<Networks, 'listLinks'>
  logger: Logger
}): Links => {
  const { calls } = options.clients

  const members = async (): Promise<Member[]> => {
    const filters = JSON.stringify({ ...labelFilter('game', options.owner), status: ['created', 'running', 'paused'] })
    const found = await ask('containers', '', () => calls.listContainers({ all: true, filters }))
    return found.flatMap((info) => memberOf(info) ?? [])
  }

  const connect = async (link: LinkNetwork, { id }: Member, endpoint: Endpoint): Promise<void> => {
    try {
      await calls.getNetwork(link.id).connect({ Container: id, EndpointConfig: endpoint })
    } catch (error) {
      if (alreadyThere.test(dockerMessage(error))) return
      const translated = translateDockerError(error, 'network', link.id)
      // One of the two is gone, and with it the link.
      if (!(translated instanceof NotFound)) throw translated
    }
  }

  const connectAll = async (links: readonly LinkNetwork[], isOwn: (member: Member) => boolean): Promise<void> => {
    if (links.length === 0) return
    const all = await members()
    for (const link of links) {
      for (const member of all) {
        const endpoint = endpointOf(link, member)
        if (endpoint === null || member.networks.has(link.name)) continue
        await connect(link, member, endpoint).catch((error) => {
          // The one that starts now must have it; the others go on, and are looked at again.
          if (isOwn(member)) throw error
          const level = error instanceof Conflict ? 'debug' : 'warn'
          options.logger[level]({ err: error, sessionId: member.sessionId, alias: link.alias }, 'not linked yet')
        })
      }
    }
  }

  return {
    async join({ sessionId, sgcId }) {
      const links = await options.networks.listLinks()
      const concerned = links.filter((link) => link.sessionId === sessionId || link.serverGameConfigId === sgcId)
      await connectAll(concerned, (member) => member.sessionId === sessionId)
    },
    async look() {
      await connectAll(await options.networks.listLinks(), () => false)
    },
  }
}

const alreadyThere = /already exists in network/i

interface Endpoint {
  /** Names in that network, for both who are in it. */
  Aliases?: string[]
  /** `name:alias`, for the container itself alone. */
  Links?: string[]
}

/** How a container takes part in a link; null when it does not. */
const endpointOf = ({ sessionId, alias, serverGameConfigId }: LinkNetwork, member: Member): Endpoint | null => {
  if (member.sessionId === sessionId) return { Links: [`${serverGameConfigId}:${alias}`] }
  return member.sgcId === serverGameConfigId ? { Aliases: [serverGameConfigId] } : null
}

const memberOf = ({ Id: id, Labels, NetworkSettings, HostConfig }: ContainerInfo): Member | null => {
  const labels = readSessionLabels(Labels)
  if (labels === null || HostConfig.NetworkMode === 'host') return null
  const { sessionId, sgcId } = labels
  return { id, sessionId, sgcId, networks: new Set(Object.keys(NetworkSettings?.Networks ?? {})) }
}
