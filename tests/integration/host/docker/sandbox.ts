import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Dockerode from 'dockerode'
import { dockerSocket } from '../../../../cli/services/docker.ts'
import { type Docker, makeDocker } from '../../../../host/docker/docker.ts'
import type { ObservedContainer } from '../../../../host/docker/observed.ts'
import { volumeMounts } from '../../../../host/docker/volumes.ts'
import type { SessionSpec } from '../../../../lib/messages/session-spec.ts'
import { makeLogger } from '../../../../lib/process/logger.ts'
import { asItIs, bareSpec } from '../../../support/bare-spec.ts'
import { eventually } from '../../../support/eventually.ts'
import { buildFakeGame } from '../../../support/images/fake-game.ts'

/** A container's session: what its labels say, and where its volume is. */
export interface Game {
  id: string
  sessionId: string
  sgcId: string
  spec: SessionSpec
  volumePath: string
}

export const logger = makeLogger({ name: 'test', level: 'silent' })

/** A machine of our own on the shared engine: own labels, own data directory, own part of the addresses. */
export interface Sandbox {
  docker: Docker
  /** The engine as it is, to look from outside. */
  raw: Dockerode
  socketPath: string
  dataDir: string
  serverId: string
  /** Creates a game of the fake image with its network, started unless told otherwise; of a deployment of its own unless named. */
  game(spec?: Partial<SessionSpec>, options?: { start?: boolean; sgcId?: string }): Promise<Game>
  ended(game: Game): Promise<ObservedContainer>
  /** All the container has written, as Docker has it. */
  written(game: Game): Promise<string>
  /** Removes what the test made, and fails if that leaves anything behind. */
  close(): Promise<void>
}

const spec = (image: string): SessionSpec => ({ ...bareSpec, image })

export const openSandbox = async (): Promise<Sandbox> => {
  const serverId = randomUUID()
  const environment = 'test'
  const dataDir = await mkdtemp(path.join(tmpdir(), 'manman-data-'))
  const socketPath = dockerSocket(process.env)
  const options = { socketPath, serverId, environment, dataDir, networkPool: '10.231.0.0/16', logger }
  const docker = makeDocker(options)
  const raw = new Dockerode({ socketPath })
  const image = await buildFakeGame()

  const labelsOf = (sessionId: string, sgcId: string) => ({
    sessionId,
    sgcId,
    serverId,
    environment,
    createdAt: new Date().toISOString(),
  })

  const filters = JSON.stringify({ label: [`manman.server_id=${serverId}`] })
  const leftovers = async (): Promise<string[]> => {
    const [containers, networks] = await Promise.all([raw.listContainers({ all: true, filters }), raw.listNetworks({ filters })])
    return [...containers.map((one) => one.Id), ...networks.map((one) => one.Id)]
  }

  return {
    docker,
    raw,
    socketPath,
    dataDir,
    serverId,
    async game(given = {}, { start = true, sgcId = randomUUID() } = {}) {
      const sessionId = randomUUID()
      const labels = labelsOf(sessionId, sgcId)
      const full = { ...spec(image), ...given }
      const mounts = volumeMounts({ dataDir, environment, sgcId, spec: full })
      const networkId = full.hostNetwork ? null : await docker.networks.ensure(labels)
      const id = await docker.containers.create({ labels, spec: full, memo: '', mounts, networkId, ...asItIs })
      if (start) await docker.containers.start(id, full.ports)
      return { id, sessionId, sgcId, spec: full, volumePath: mounts[0]!.hostPath }
    },
    ended: (game) =>
      eventually(
        async () => {
          const seen = await docker.containers.inspect(game.id)
          return seen?.state === 'exited' ? seen : null
        },
        { what: 'the game ended' },
      ),
    async written(game) {
      const log = await raw.getContainer(game.id).logs({ stdout: true, stderr: true, follow: false })
      let text = ''
      for (let at = 0; !game.spec.tty && at < log.length; at += 8 + log.readUInt32BE(at + 4)) {
        text += log.toString('latin1', at + 8, at + 8 + log.readUInt32BE(at + 4))
      }
      return game.spec.tty ? log.toString('latin1') : text
    },
    async close() {
      await Promise.all((await docker.containers.list()).map((container) => docker.containers.remove(container.id)))
      await Promise.all((await docker.networks.list()).map((network) => docker.networks.remove(network.sessionId)))
      const left = await leftovers()
      docker.close()
      await rm(dataDir, { recursive: true, force: true })
      if (left.length > 0) throw new Error(`left behind on the engine: ${left.join(', ')}`)
    },
  }
}
