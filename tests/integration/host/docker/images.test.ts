import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { makeDockerClients } from '../../../../host/docker/client.ts'
import { ImageUnavailable } from '../../../../host/docker/errors.ts'
import { makeImages } from '../../../../host/docker/images.ts'
import { buildFakeGame } from '../../../support/images/fake-game.ts'
import { openRegistry, type TestRegistry } from '../../../support/images/registry.ts'
import { openSandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
let registry: TestRegistry
beforeAll(async () => {
  box = await openSandbox()
})
afterAll(() => box.close())
beforeEach(async () => {
  registry = await openRegistry({ layerBytes: 2 << 20 })
  return () => registry.close()
})

const never = new AbortController().signal
const ensure = (ref: string, policy: 'IF_MISSING' | 'ALWAYS' = 'IF_MISSING', signal = never) =>
  box.docker.images.ensure({ ref, policy, signal })
const faultOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error) => (error instanceof ImageUnavailable ? error.fault : String(error)),
  )

it('fetches a missing image and tells how far it is', async () => {
  registry.pauseMs = 10
  const percents: number[] = []
  const done = await box.docker.images.ensure({
    ref: registry.ref,
    policy: 'IF_MISSING',
    signal: never,
    onProgress: ({ percent }) => percent !== null && percents.push(percent),
  })
  expect(done).toMatchObject({ pulled: true, staleBecause: null, image: { user: '1234', id: expect.stringMatching(/^sha256:/) } })
  expect(percents.at(-1)).toBe(100)
  expect(percents.some((percent) => percent > 0 && percent < 100)).toBe(true)
  expect([...percents].sort((a, b) => a - b)).toEqual(percents)
})

it('takes the image that is here without asking anyone', async () => {
  await ensure(registry.ref)
  registry.locked = true
  expect(await ensure(registry.ref)).toMatchObject({ pulled: false, staleBecause: null })
})

it('falls back to the image that is here when the registry is gone', async () => {
  await ensure(registry.ref)
  registry.locked = true
  expect(await ensure(registry.ref, 'ALWAYS')).toMatchObject({ pulled: false, staleBecause: { fault: 'UNAUTHORISED' } })
})

it('shares one pull among all who want the image', async () => {
  registry.pauseMs = 5
  const all = await Promise.all(Array.from({ length: 5 }, () => ensure(registry.ref)))
  expect(all.every((one) => one.pulled)).toBe(true)
  expect(registry.layerFetches()).toBe(1)
})

it('goes on for the others when one gives up, and ends when all have', async () => {
  registry.pauseMs = 50
  const [first, second] = [new AbortController(), new AbortController()]
  const pulls = [ensure(registry.ref, 'IF_MISSING', first.signal), ensure(registry.ref, 'IF_MISSING', second.signal)]
  const outcomes = pulls.map((pull) =>
    pull.then(
      () => 'pulled',
      () => 'aborted',
    ),
  )
  await registry.fetching
  first.abort()
  expect(await outcomes[0]).toBe('aborted')
  registry.pauseMs = 0
  expect(await outcomes[1]).toBe('pulled')

  const other = await openRegistry({ layerBytes: 2 << 20 })
  other.pauseMs = 1_000
  const only = new AbortController()
  const pull = ensure(other.ref, 'IF_MISSING', only.signal).then(
    () => 'pulled',
    () => 'aborted',
  )
  await other.fetching
  only.abort()
  expect(await pull).toBe('aborted')
  expect(await box.docker.images.inspect(other.ref)).toBeNull()
  await other.close()
})

it('says what is wrong', async () => {
  const gone = registry.ref.replace('/game:', '/other:')
  expect(await faultOf(ensure(gone))).toBe('NOT_FOUND')
  registry.locked = true
  expect(await faultOf(ensure(registry.ref))).toBe('UNAUTHORISED')
  await registry.close()
  expect(await faultOf(ensure(registry.ref))).toBe('UNREACHABLE')
  expect(await faultOf(ensure('127.0.0.1:1/game:latest'))).toBe('UNREACHABLE')
  expect(await faultOf(ensure('Not An Image'))).toBe('BAD_REFERENCE')
})

it('gives up a pull that no longer moves', async () => {
  const clients = makeDockerClients({ socketPath: box.socketPath })
  const images = makeImages({ clients, stallMs: 500 })
  registry.pauseMs = 60_000
  expect(await faultOf(images.ensure({ ref: registry.ref, policy: 'IF_MISSING', signal: never }))).toBe('UNREACHABLE')
  clients.close()
})

it('says that the engine is away when it is', async () => {
  const clients = makeDockerClients({ socketPath: '/nowhere/docker.sock' })
  const images = makeImages({ clients })
  await expect(images.inspect('game')).rejects.toThrow(/Docker engine is not available: there is no Docker socket/)
  clients.close()
})

it('knows the image of the fake game', async () => {
  expect(await box.docker.images.inspect(await buildFakeGame())).toMatchObject({ user: '' })
  expect(await box.docker.images.inspect('manman-test/none:1')).toBeNull()
})
