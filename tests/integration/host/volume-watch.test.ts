import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'

let host: AgentHarness
beforeAll(async () => {
  host = await makeAgentHarness()
  await host.startAgent('until-ready', undefined, { volumesEveryMs: 50 })
})
afterAll(() => host.close())

const resources = { memoryMb: 64, cpus: null, pids: null, diskWarnMb: 2 }
const words = 'The volumes of this deployment have become larger than 2 MB.'

it('is said in the log and of the server when a volume becomes larger, and again only after it was smaller', async () => {
  const command = host.startCommand({ resources, values: { 'deployment.name': { text: 'Lobby', kind: 'text' } } })
  const { sessionId } = command
  await host.peer.send(command)
  const other = await host.start({})
  await host.logHas(sessionId, 'ready')
  await host.logHas(other, 'ready')
  const fileOf = (id: string | null) => join(host.dataDir, `gsc-${command.environment}-${id}`, 'world')
  const world = fileOf(command.serverGameConfigId)
  const warnings = async (): Promise<string> => {
    const { texts, streams } = await host.readLog(sessionId)
    return texts.flatMap((text, at) => (text === words ? [streams[at]] : [])).join('')
  }
  /** What the newest heartbeat says, of those that come from now on. */
  const conditionIs = async (message: string | undefined): Promise<void> => {
    const told = () => host.peer.beats.at(-1)?.conditions.find(({ kind }) => kind === 'VOLUME_LARGE')?.message
    await eventually(() => told() === message, { what: `the condition is ${message}` })
  }

  await writeFile(world, Buffer.alloc(3 << 20))
  await conditionIs('Volumes are larger than they should be: Lobby (more than 2 MB).')
  expect(await warnings()).toBe('S')

  // An agent that comes back has not forgotten that it was said.
  await host.stopAgent()
  const before = host.peer.beats.length
  await host.startAgent('until-ready', undefined, { volumesEveryMs: 50 })
  await eventually(() => host.peer.beats.length > before, { what: 'a heartbeat of the new agent' })
  await conditionIs('Volumes are larger than they should be: Lobby (more than 2 MB).')

  await rm(world)
  await conditionIs(undefined)
  expect(await warnings()).toBe('S')
  await writeFile(world, Buffer.alloc(3 << 20))
  await eventually(async () => (await warnings()) === 'SS', { what: 'it is said again' })

  for (const id of [sessionId, other]) await host.peer.send({ kind: 'session.kill', sessionId: id })
  for (const id of [sessionId, other]) await host.peer.report(id, 'STOPPED')
  await conditionIs(undefined)
  await eventually(async () => (await host.docker.networks.list()).length === 0, { what: 'all is cleared away' })
})
