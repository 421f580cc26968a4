import type { ContainerInfo, ContainerInspectInfo } from 'dockerode'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isInstallStep, type PortBinding } from '../../lib/messages/session-spec.ts'
import type { DockerClients } from './client.ts'
import { makeContainerFiles } from './container-files.ts'
import { type ContainerSpec, createOptions } from './container-spec.ts'
import { ask, dockerStatus, ImageUnavailable, StartFailure, translateDockerError } from './errors.ts'
import { executableFault } from './executable.ts'
import { labelFilter, type Owner, readSessionLabels, resourceName } from './labels.ts'
import { type ObservedContainer, observe } from './observed.ts'
import { ownerByNumbers, resolveOwner } from './passwd.ts'
import { translateStartError } from './start-failure.ts'
import { makeVolumes, ownVolumes } from './volumes.ts'

export interface Containers {
  /**
   * Creates the session's container with its volumes, which then belong to the game's user; resolves with its id.
   * One that is there already is kept. Fails with `ImageUnavailable` when the image is not on this machine,
   * `StartFailure` when the configuration can't work (no such program, user, …).
   */
  create(container: ContainerSpec): Promise<string>
  /** Starts it. Already started is fine. Fails with `StartFailure` when trying again would fail the same way. */
  start(containerId: string, ports: readonly PortBinding[]): Promise<void>
  /** Sends a signal (`SIGTERM`, …). False when the container does not run. */
  signal(containerId: string, signal: string): Promise<boolean>
  /** Removes it with its anonymous volumes, killing it if it runs. Already gone is fine. */
  remove(containerId: string): Promise<void>
  /** Null when it is gone, or not a session's. */
  inspect(containerId: string): Promise<ObservedContainer | null>
  /** The session's container; null when there is none. */
  find(sessionId: string): Promise<ObservedContainer | null>
  /** Ours, of all sessions, in every state. */
  list(): Promise<ObservedContainer[]>
  /** The same at a glance: one question, whatever their number. */
  overview(): Promise<{ sessionId: string; isCreated: boolean; createdMs: number }[]>
}

/** Inspects at once while listing; hundreds of sessions must not become hundreds of connections. */
const inspectsAtOnce = 8

export const makeContainers = (options: { clients: DockerClients; owner: Owner; dataDir: string }): Containers => {
  const { calls } = options.clients
  const files = makeContainerFiles(options)

  const inspectRaw = (id: string): Promise<ContainerInspectInfo> => ask('container', id, () => calls.getContainer(id).inspect())

  const inspect = async (id: string): Promise<ObservedContainer | null> => {
    try {
      return observe(await inspectRaw(id))
    } catch (error) {
      if (error instanceof NotFound) return null
      throw error
    }
  }

  const listRaw = (sessionId?: string): Promise<ContainerInfo[]> => {
    const filters = JSON.stringify(labelFilter('game', options.owner, sessionId))
    return ask('containers', '', () => calls.listContainers({ all: true, filters }))
  }

  const idsOf = async (sessionId?: string): Promise<string[]> => (await listRaw(sessionId)).map((container) => container.Id)

  const inspectAll = async (ids: readonly string[]): Promise<ObservedContainer[]> => {
    const observed: ObservedContainer[] = []
    for (let from = 0; from < ids.length; from += inspectsAtOnce) {
      const some = await Promise.all(ids.slice(from, from + inspectsAtOnce).map(inspect))
      observed.push(...some.filter((container) => container !== null))
    }
    return observed
  }

  const remove = async (id: string): Promise<void> => {
    try {
      await calls.getContainer(id).remove({ force: true, v: true })
    } catch (error) {
      const translated = translateDockerError(error, 'container', id)
      // 409: another removal is under way; whoever looks again sees how it ended.
      if (!(translated instanceof NotFound || translated instanceof Conflict)) throw translated
    }
  }

  /** The id of the container, made or found: its name belongs to its session alone. */
  const createRaw = async (container: ContainerSpec): Promise<string> => {
    try {
      return (await calls.createContainer(createOptions(container))).id
    } catch (error) {
      const { sessionId, environment } = container.labels
      if (dockerStatus(error) === 404) {
        throw new ImageUnavailable('NOT_FOUND', `Image ${container.spec.image} is not on this machine.`, { cause: error })
      }
      if (dockerStatus(error) === 409) {
        const known = await inspect(resourceName(environment, sessionId))
        if (known?.sessionId === sessionId) return known.id
      }
      throw translateStartError(error, sessionId, container.spec.ports)
    }
  }

  const ownerOf = async (info: ContainerInspectInfo) => {
    const user = info.Config.User
    const numbers = ownerByNumbers(user)
    if (numbers !== null) return numbers
    const [passwd, group] = await Promise.all([files.readText(info.Id, '/etc/passwd'), files.readText(info.Id, '/etc/group')])
    const owner = resolveOwner(user, { passwd: passwd ?? '', group: group ?? '' })
    if (owner === null) throw new StartFailure('BAD_CONFIG', `There is no user ${user} in the image.`)
    return owner
  }

  const prepare = async (id: string, container: ContainerSpec): Promise<void> => {
    const info = await inspectRaw(id)
    // A container that was found may run already; its volumes are its own then.
    if (info.State.Status !== 'created') return
    const owner = await ownerOf(info)
    await ownVolumes(container.mounts, { owner, isInstall: isInstallStep(container.spec) })
    await container.fill(owner)
    const { WorkingDir: workingDir, Env: env } = info.Config
    const fault = await executableFault(files, { id, program: info.Path, workingDir, env: env ?? [] })
    if (fault !== null) throw new StartFailure('BAD_CONFIG', fault)
  }

  return {
    async create(container) {
      await makeVolumes(options.dataDir, container.mounts)
      const id = await createRaw(container)
      try {
        await prepare(id, container)
      } catch (error) {
        if (error instanceof StartFailure) await remove(id)
        throw error
      }
      return id
    },
    async start(containerId, ports) {
      try {
        await calls.getContainer(containerId).start()
      } catch (error) {
        if (dockerStatus(error) === 304) return
        throw translateStartError(error, containerId, ports)
      }
    },
    async signal(containerId, signal) {
      try {
        await ask('container', containerId, () => calls.getContainer(containerId).kill({ signal }))
        return true
      } catch (error) {
        if (error instanceof NotFound || error instanceof Conflict) return false
        throw error
      }
    },
    remove,
    inspect,
    async find(sessionId) {
      return (await inspectAll(await idsOf(sessionId)))[0] ?? null
    },
    list: async () => inspectAll(await idsOf()),
    overview: async () =>
      (await listRaw()).flatMap(({ Labels, State, Created }) => {
        const labels = readSessionLabels(Labels)
        return labels === null
          ? []
          : [{ sessionId: labels.sessionId, isCreated: State === 'created', createdMs: Created * 1_000 }]
      }),
  }
}
