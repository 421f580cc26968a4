import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { exchanges, keys, queues } from '../../../lib/messages/routing.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { newId } from '../../../lib/process/new-id.ts'
import { makeRabbit } from '../../../lib/rabbit/connect.ts'
import { eventually } from '../../support/eventually.ts'
import { run } from '../../support/images/docker-cli.ts'
import { sessionById } from '../../support/operations.ts'
import { asSuperuser } from '../../support/template.ts'
import type { FleetHost } from '../fleet.ts'
import type { Stage } from '../run.ts'
import type { BlindEngine } from './blind-engine.ts'

// How a run is broken on purpose, each way on a host of its own, so that the checker has something to find.

const logger = makeLogger({ name: 'saboteur', level: 'fatal' })

/** The deployments of a host. */
const placesOn = ({ world }: Stage, { serverId }: FleetHost): string[] =>
  world.deployments.filter((deployment) => deployment.serverId === serverId).map(({ id }) => id)

/** Starts a session and waits until its game runs. */
const startGame = async (stage: Stage, step: number, deploymentId: string): Promise<string> => {
  await stage.operations.start(step, 'start', deploymentId, `op-${step}`)
  const isRunning = async (): Promise<string | undefined> => {
    const query = `{ serverGameConfig(id: "${deploymentId}") { activeSession { id status readyAt } } }`
    const { data } = await stage.fleet.client.request<Active, never>(query)
    const session = data?.serverGameConfig?.activeSession
    return session?.status === 'RUNNING' ? session.id : undefined
  }
  return eventually(isRunning, { what: `the game of deployment ${deploymentId} runs`, limitMs: 60_000, everyMs: 200 })
}

interface Active {
  serverGameConfig: { activeSession: { id: string; status: string } | null } | null
}

/** Nothing is broken: what the others are compared with. */
export const honestHost = async (stage: Stage, host: FleetHost): Promise<void> => {
  const [deploymentId = ''] = placesOn(stage, host)
  const sessionId = await startGame(stage, 1, deploymentId)
  await stage.operations.type(2, 'input', { deploymentId, sessionId }, 'say op-2')
}

/** What is typed is delivered twice, the second time without the key by which a repetition is known. */
export const deliverTwice = async (stage: Stage, host: FleetHost): Promise<void> => {
  const rabbit = await makeRabbit({ url: stage.fleet.amqpUrl, name: 'duplicator', logger })
  let copies = 0
  const kept = rabbit.keepChannel({
    name: 'duplicator',
    setup: async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true })
      const key = keys.command(host.serverId, 'session.input')
      await channel.bindQueue(queue, exchanges.commands, key)
      await channel.consume(queue, (message) => {
        if (!message || message.properties.headers?.copy) return
        const request = { ...JSON.parse(message.content.toString()), id: newId(), idempotencyKey: null }
        const content = Buffer.from(JSON.stringify(request))
        channel.publish(exchanges.commands, key, content, { headers: { copy: true } })
        copies++
      })
    },
  })
  await eventually(() => kept.current(), { what: 'the duplicator listens' })
  const [deploymentId = ''] = placesOn(stage, host)
  const sessionId = await startGame(stage, 11, deploymentId)
  await stage.operations.type(12, 'input', { deploymentId, sessionId }, 'say op-12')
  await eventually(() => copies > 0, { what: 'a line was delivered twice' })
  await kept.close()
  await rabbit.close()
}

/** A start is acknowledged and nothing is done: by one who takes it in place of the agent, as one would that died too soon. */
export const acknowledgeTooSoon = async (stage: Stage, host: FleetHost): Promise<void> => {
  const [first = '', second = ''] = placesOn(stage, host)
  const sessionId = await startGame(stage, 21, first)
  await host.agent.kill()
  await stage.operations.start(22, 'start', second, 'op-22')
  const rabbit = await makeRabbit({ url: stage.fleet.amqpUrl, name: 'thief', logger })
  const kept = rabbit.keepChannel({ name: 'thief' })
  const take = async () => kept.current()?.get(queues.hostCommands(host.serverId), { noAck: true })
  await eventually(take, { what: 'a command was taken' })
  await kept.close()
  await rabbit.close()
  host.agent.start()
  // A later command shows that this one is not on its way any more.
  await stage.operations.type(23, 'input', { deploymentId: first, sessionId }, 'say op-23')
}

/** The database lets two sessions live in one deployment. */
export const dropUniqueIndexes = async (stage: Stage, host: FleetHost): Promise<void> => {
  await asSuperuser(stage.fleet.databaseUrl, async (client) => {
    await client.query('DROP INDEX sessions.one_live_session_per_deployment, operations.one_open_operation_per_deployment')
  })
  const [deploymentId = ''] = placesOn(stage, host)
  const race = (step: number) => stage.operations.start(step, 'start-race', deploymentId, `op-${step}`)
  await Promise.all(Array.from({ length: 12 }, (_, index) => race(31 + index)))
}

/** A host that has lost its state takes nothing up again from Docker. */
export const adoptNothing = async (stage: Stage, host: FleetHost, engine: BlindEngine): Promise<() => Promise<void>> => {
  const [deploymentId = ''] = placesOn(stage, host)
  const sessionId = await startGame(stage, 51, deploymentId)
  await host.agent.kill()
  await rm(join(host.dataDir, 'sessions'), { recursive: true })
  await rm(join(host.dataDir, 'applied.json'))
  engine.blind()
  host.agent.start()
  // The host tells that it holds nothing, and is believed.
  const isGone = async (): Promise<boolean> => {
    const { data } = await stage.fleet.client.request(sessionById, { id: sessionId })
    return data?.session?.endReason === 'STATE_LOST'
  }
  await eventually(isGone, { what: 'the session counts as lost with the state of its host', limitMs: 90_000, everyMs: 200 })
  return async () => {
    const filter = `label=manman.server_id=${host.serverId}`
    const ids = (await run('docker', ['ps', '--all', '--quiet', '--filter', filter])).split('\n').filter(Boolean)
    if (ids.length > 0) await run('docker', ['rm', '--force', ...ids])
  }
}
