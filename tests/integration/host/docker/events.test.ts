import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDockerClients } from '../../../../host/docker/client.ts'
import { type ContainerEvent, followEvents } from '../../../../host/docker/events.ts'
import { eventually } from '../../../support/eventually.ts'
import { openRelay } from './relay.ts'
import { logger, openSandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
beforeAll(async () => {
  box = await openSandbox()
})
afterAll(() => box.close())

it('tells of our containers, and of nobody else’s', async () => {
  const other = await openSandbox()
  const events: ContainerEvent[] = []
  let connected = 0
  const following = box.docker.events({ onEvent: (event) => events.push(event), onConnected: () => connected++ })
  await eventually(() => connected === 1, { what: 'connected' })
  await other.game()
  const game = await box.game()
  await box.docker.containers.signal(game.id, 'SIGKILL')
  await eventually(() => events.some((event) => event.action === 'die'), { what: 'the end was told' })
  expect(events.map((event) => event.action)).toEqual(['create', 'start', 'die'])
  expect(events.every((event) => event.sessionId === game.sessionId && event.containerId === game.id)).toBe(true)
  await following.close()
  await other.close()
})

it('connects again after a break and misses nothing of it', async () => {
  const relay = await openRelay(box.socketPath)
  const clients = makeDockerClients({ socketPath: relay.socketPath })
  const events: ContainerEvent[] = []
  let connected = 0
  const owner = { serverId: box.serverId, environment: 'test' }
  const following = followEvents({
    clients,
    owner,
    logger,
    onEvent: (event) => events.push(event),
    onConnected: () => connected++,
  })
  await eventually(() => connected === 1, { what: 'connected' })
  const first = await box.game()
  await eventually(() => events.length === 2, { what: 'the first start was told' })
  relay.cut()
  const second = await box.game()
  await eventually(() => connected === 2 && events.length === 4, { what: 'the second start was told' })
  expect(events.map((event) => event.sessionId)).toEqual([first, first, second, second].map((game) => game.sessionId))
  await following.close()
  clients.close()
  await relay.close()
})

it('tells what the machine has', async () => {
  const info = await box.docker.info()
  expect(info).toMatchObject({ dockerVersion: expect.stringMatching(/^\d+\./), cpus: expect.any(Number) })
  expect(info.memoryBytes).toBeGreaterThan(1 << 28)
})
