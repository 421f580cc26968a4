import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, inject, it } from 'vitest'
import * as operations from '../support/operations.ts'
import { deploy } from '../support/play.ts'
import { useStack } from '../support/use-stack.ts'

describe('a session, from deploy to stop, with the control plane in one process', () => {
  const { stack, play } = useStack({ topology: 'one' })
  const { fakeGame } = inject('images')

  it('deploys, starts, watches, talks to and stops a game', async () => {
    const deployment = await deploy(stack(), {
      image: fakeGame,
      envTemplate: { NAME: '{{deployment.name}} on {{server.name}}', PORT: '{{port.game}}' },
      ports: [{ name: 'game', containerPort: 25565, protocol: 'TCP' }],
      stop: { kind: 'STDIN', value: 'quit', graceSeconds: 10 },
    })
    const session = await play(deployment)
    await session.until('RUNNING')
    await session.logs.line('ready')

    await session.type('say hello')
    await session.logs.line('[chat] hello')
    await session.type('sh echo "$NAME $PORT"')
    await session.logs.line(`${deployment.name} on e2e ${deployment.portBindings[0]!.hostPort}`)

    await session.stop()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED', oomKilled: false })
    expect(session.statuses.slice(-3)).toEqual(['RUNNING', 'STOPPING', 'STOPPED'])
    expect(session.logs.texts('INPUT')).toEqual(['say hello', 'sh echo "$NAME $PORT"', 'quit'])
    expect(session.logs.lines[0]!.seq).toBe(1)
    expect(session.logs.texts('STDOUT').at(-1)).toBe('bye')
  })

  it('joins machine, deployment, config, active session and backups in one query', async () => {
    const deployment = await deploy(stack(), { image: fakeGame, ports: [{ name: 'game', containerPort: 7777, protocol: 'UDP' }] })
    const session = await play(deployment)
    await session.until('RUNNING')
    const { server } = await stack().client.run(operations.wholeFleet, { id: stack().serverId })
    expect(server).toMatchObject({ name: 'e2e', status: 'ONLINE' })
    const binding = deployment.portBindings[0]!
    expect(server?.ports).toContainEqual({ port: binding.hostPort, protocol: 'UDP', deployment: { id: deployment.id } })
    const node = server?.deployments?.edges.find((edge) => edge.node.id === deployment.id)?.node
    expect(node).toMatchObject({
      gameConfig: { image: fakeGame, game: { name: deployment.name } },
      activeSession: { id: session.id, status: 'RUNNING', server: { id: stack().serverId }, deployment: { id: deployment.id } },
      sessions: { edges: [{ node: { id: session.id, status: 'RUNNING' } }] },
      backups: { edges: [] },
    })
  })

  describe('stops', () => {
    it('by a signal', async () => {
      const session = await play(await deploy(stack(), { image: fakeGame, stop: { kind: 'SIGNAL', value: 'SIGTERM' } }))
      await session.logs.line('ready')
      await session.stop()
      expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
      expect(session.logs.texts('STDOUT')).toContain('terminated')
    })

    it('by a kill, when the game does not obey within its grace', async () => {
      const session = await play(
        await deploy(stack(), {
          image: fakeGame,
          envTemplate: { IGNORE_STOP: '1' },
          stop: { kind: 'STDIN', value: 'quit', graceSeconds: 1 },
        }),
      )
      await session.logs.line('ready')
      await session.stop()
      expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 137, endReason: 'KILLED_AFTER_GRACE' })
      expect(session.logs.texts('SYSTEM').at(-1)).toMatch(/1 s and was killed/)
    })

    it('at once by killSession', async () => {
      const session = await play(await deploy(stack(), { image: fakeGame, envTemplate: { IGNORE_STOP: '1' } }))
      await session.logs.line('ready')
      await session.kill()
      expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 137, endReason: 'KILLED' })
    })
  })

  describe('tells how a game ended that nobody stopped', () => {
    it('by itself', async () => {
      const session = await play(await deploy(stack(), { image: fakeGame, command: ['sh', '-c', 'echo done'] }))
      expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'EXITED' })
      expect(session.logs.texts('STDOUT')).toEqual(['done'])
    })

    it('with the code of a crash, and its last words', async () => {
      const session = await play(await deploy(stack(), { image: fakeGame, command: ['sh', '-c', 'echo >&2 ouch; exit 7'] }))
      expect(await session.ended()).toMatchObject({ status: 'CRASHED', exitCode: 7, endReason: 'CRASHED' })
      expect(session.logs.texts('STDERR')).toEqual(['ouch'])
    })
  })

  describe('says why a game can not run', () => {
    it('when there is no such image', async () => {
      const session = await play(await deploy(stack(), { image: 'localhost:9/no-such-image:1' }))
      const row = await session.ended(30_000)
      expect(row).toMatchObject({ status: 'FAILED', exitCode: null, endReason: 'IMAGE_UNAVAILABLE' })
      expect(row.endMessage).toContain('localhost:9/no-such-image:1')
      expect(session.logs.texts('SYSTEM').at(-1)).toContain(row.endMessage)
    })

    it('when another program of the machine has the port', async () => {
      const squatter = createSocket('udp4')
      squatter.bind(0, '0.0.0.0')
      await once(squatter, 'listening')
      const { port } = squatter.address()
      try {
        const config = { image: fakeGame, ports: [{ name: 'game', containerPort: 4534, protocol: 'UDP' as const }] }
        const session = await play(await deploy(stack(), config, { game: port }))
        const row = await session.ended()
        expect(row).toMatchObject({ status: 'FAILED', endReason: 'PORT_TAKEN' })
        expect(row.endMessage).toContain(String(port))
      } finally {
        squatter.close()
      }
    })
  })
})
