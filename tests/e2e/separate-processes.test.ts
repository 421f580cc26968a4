import { describe, expect, inject, it } from 'vitest'
import { bridgePrefix } from '../../host/docker/bridges.ts'
import { run } from '../support/images/docker-cli.ts'
import * as operations from '../support/operations.ts'
import { deploy } from '../support/play.ts'
import { useStack } from '../support/use-stack.ts'

describe('every deployable as its own process, the agent in its container', () => {
  const { stack, play } = useStack({ topology: 'many', host: 'container' })
  const { fakeGame } = inject('images')
  const { armagetron } = inject('games')

  it('deploys, starts, watches, talks to and stops a real game', async () => {
    const deployment = await deploy(stack(), {
      image: armagetron,
      ports: [{ name: 'game', containerPort: 4534, protocol: 'UDP' }],
      stop: { kind: 'STDIN', value: 'QUIT', graceSeconds: 10 },
    })
    const session = await play(deployment)
    await session.logs.line(/Bound socket/)
    await session.type('SAY hello')
    await session.logs.line(/Admin: hello/)

    const { server } = await stack().client.run(operations.wholeFleet, { id: stack().serverId })
    expect(server?.deployments?.edges.map(({ node }) => node)).toMatchObject([
      { gameConfig: { game: { name: deployment.name } }, activeSession: { id: session.id }, backups: { edges: [] } },
    ])

    // Set by a container of its own image, as this one has no rights over the machine's network.
    const chain = `MANMAN-${bridgePrefix(stack().serverId).slice(2)}-IN`
    expect(await run('iptables', ['--wait', '5', '-S', chain])).toContain(`-A ${chain} -j REJECT`)
    const { server: healthy } = await stack().client.run(operations.serverById, { id: stack().serverId })
    expect(healthy?.conditions).toEqual([])

    await session.stop()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
    expect(session.statuses.slice(-3)).toEqual(['RUNNING', 'STOPPING', 'STOPPED'])
  })

  it('shows what a busy game uses to all who watch, and completes when it has ended', async () => {
    const resources = { memoryMb: 128 }
    const session = await play(await deploy(stack(), { image: fakeGame, resources }))
    await session.until('RUNNING')
    const watch = async (): Promise<number> => {
      let busiest = 0
      const variables = { sessionId: session.id }
      for await (const { sessionStats } of stack().client.subscribe(operations.sessionStats, variables, {
        resume: () => variables,
      })) {
        expect(sessionStats).toMatchObject({ sessionId: session.id, memoryLimitBytes: 128 * 1024 * 1024 })
        busiest = Math.max(busiest, sessionStats.cpuPercent)
        if (busiest > 10) await session.kill()
      }
      return busiest
    }
    await session.type("sh awk 'BEGIN { while (1) n++ }' &")
    expect(Math.min(...(await Promise.all([watch(), watch()])))).toBeGreaterThan(10)
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', endReason: 'KILLED' })
  })

  it("replaces the agent's container without a game or a viewer noticing", async () => {
    const session = await play(await deploy(stack(), { image: fakeGame, envTemplate: { TOTAL: '4000', RATE: '1000' } }))
    await session.logs.count(500)
    await stack().killHost()
    await stack().startHost()
    await session.logs.line('counted')
    expect(session.logs.texts().filter((text) => text.startsWith('line '))).toHaveLength(4_000)
    await session.type('say hello')
    await session.logs.line('[chat] hello')
    await session.kill()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', endReason: 'KILLED' })
  })
})
