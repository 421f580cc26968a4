import { beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { CreateGameConfigInput } from '../support/generated/graphql.ts'
import { run } from '../support/images/docker-cli.ts'
import { buildFakeGame } from '../support/images/fake-game.ts'
import { openRegistry } from '../support/images/registry.ts'
import { ok } from '../support/ok.ts'
import * as operations from '../support/operations.ts'
import { deploy } from '../support/play.ts'
import { useStack } from '../support/use-stack.ts'

describe('the life of a session', () => {
  const { stack, play, join } = useStack({ topology: 'one' })
  let image: string
  beforeAll(async () => {
    image = await buildFakeGame()
  })

  const stop = { kind: 'STDIN', value: 'quit' } as const
  const deployGame = (config: Partial<CreateGameConfigInput> = {}) =>
    deploy(stack(), { image, stop, readyPattern: '^ready$', ...config }, {}, { mode: 'ON_FAILURE', maxRetries: 3 })

  /** The session that continues `sessionId`, once the graph shows it. */
  const successorOf = async (deploymentId: string, sessionId: string) => {
    const look = async () => {
      const { serverGameConfig } = await stack().client.run(operations.activeSessionOf, { id: deploymentId })
      const active = serverGameConfig?.activeSession
      return active?.restartOf?.id === sessionId ? active : undefined
    }
    const { id } = await eventually(look, { what: `a session continues ${sessionId}`, limitMs: 30_000 })
    return join(id)
  }

  it('shows when players can join, and begins a crashed game again', async () => {
    const deployment = await deployGame()
    const session = await play(deployment)
    await session.logs.line('ready')
    await eventually(async () => (await session.row()).readyAt, { what: 'readyAt' })
    await session.until('RUNNING')
    await session.type('sh echo the end is near; exit 3')
    const ended = await session.ended()
    expect(ended).toMatchObject({ status: 'CRASHED', exitCode: 3, endReason: 'CRASHED' })
    expect(ended.lastLines).toEqual(expect.arrayContaining(['the end is near', 'It exited with code 3.']))

    const next = await successorOf(deployment.id, session.id)
    await next.until('RUNNING')
    await eventually(async () => (await next.row()).readyAt, { what: 'readyAt' })
    expect(await next.row()).toMatchObject({ restartOf: { id: session.id } })
    // Its player knows the first session only: a stop of that one would find it ended. The new one stops as any other.
    await next.stop()
    expect(await next.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
  })

  it('goes on in a new session also while its image is still pulled', async () => {
    const registry = await openRegistry({ layerBytes: 4 << 20 })
    registry.pauseMs = 100
    const session = await play(await deployGame({ image: registry.ref }))
    await session.logs.line(/^Pulling image /)
    const { restartSession } = await stack().client.run(operations.restartSession, { input: { sessionId: session.id } })
    const waiting = ok(restartSession, 'Session')
    expect(waiting).toMatchObject({ status: 'PENDING', waitsFor: { id: session.id } })
    const next = join(waiting.id)
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', endReason: 'CANCELLED', startedAt: null })
    registry.pauseMs = 0
    await next.logs.line(/^Pulled image /)
    // The image holds nothing that runs.
    expect(await next.ended()).toMatchObject({ status: 'FAILED', endReason: 'BAD_CONFIG' })
    await registry.close()
  })

  it('goes on in a new session that waits for the end of the old one', async () => {
    const session = await play(await deployGame())
    await session.logs.line('ready')
    const { restartSession } = await stack().client.run(operations.restartSession, { input: { sessionId: session.id } })
    const waiting = ok(restartSession, 'Session')
    expect(waiting).toMatchObject({ status: 'PENDING', waitsFor: { id: session.id } })
    const next = join(waiting.id)
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', endReason: 'REQUESTED' })
    await next.until('RUNNING')
    const row = await next.row()
    expect(row).toMatchObject({ restartOf: { id: session.id }, waitsFor: null })
    expect(Date.parse(row.startedAt!)).toBeGreaterThanOrEqual(Date.parse((await session.row()).endedAt!))
  })

  it('begins nowhere while its server is draining', async () => {
    const deployment = await deployGame()
    const id = stack().serverId
    expect((await stack().client.run(operations.drainServer, { id })).drainServer).toMatchObject({ draining: true })
    const { startSession } = await stack().client.run(operations.startSession, { input: { serverGameConfigId: deployment.id } })
    expect(startSession).toMatchObject({ code: 'UNAVAILABLE' })
    expect((await stack().client.run(operations.undrainServer, { id })).undrainServer).toMatchObject({ draining: false })
    await (await play(deployment)).until('RUNNING')
  })

  it('is told as it was when the game crashed while its host was dead', async () => {
    const deployment = await deployGame()
    const session = await play(deployment)
    await session.until('RUNNING')
    await session.logs.line('ready')
    const container = (await run('docker', ['ps', '--quiet', '--filter', `label=manman.session_id=${session.id}`])).trim()
    await session.type('sh sleep 5; echo last words; exit 7')
    await stack().killHost()
    await run('docker', ['wait', container])
    expect(await session.row()).toMatchObject({ status: 'RUNNING' })
    await stack().startHost()
    expect(await session.ended()).toMatchObject({ status: 'CRASHED', exitCode: 7, endReason: 'CRASHED' })
    expect(session.logs.texts('STDOUT')).toEqual(['ready', 'last words'])
    const next = await successorOf(deployment.id, session.id)
    await next.logs.line('ready')
  })
})
