import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { run } from '../support/images/docker-cli.ts'
import * as operations from '../support/operations.ts'
import { deploy } from '../support/play.ts'
import { useStack } from '../support/use-stack.ts'

const runningOf = async (label: string, value: string): Promise<string[]> =>
  (await run('docker', ['ps', '--quiet', '--no-trunc', '--filter', `label=manman.${label}=${value}`])).split('\n').filter(Boolean)
const processOf = async (sessionId: string): Promise<string> =>
  run('docker', ['inspect', '--format', '{{.State.Pid}}', ...(await runningOf('session_id', sessionId))])

describe('a host', () => {
  const { stack, play, join: joinSession } = useStack({ topology: 'one', brokerProxy: true })
  const { fakeGame } = inject('images')
  const stop = { kind: 'STDIN' as const, value: 'quit' }
  const query = async (id: string) => (await stack().client.run(operations.sessionById, { id })).session!

  it('that has lost its state files goes on with its games as if it had not', async () => {
    const session = await play(await deploy(stack(), { image: fakeGame, stop }))
    await session.logs.line('ready')
    const before = await processOf(session.id)
    await stack().killHost()
    for (const name of ['sessions', 'applied.json']) await rm(join(stack().dataDir, name), { recursive: true })
    await stack().startHost()
    // Refused, and so not typed, until its console is attached again.
    const typed = () =>
      session
        .type('say still here')
        .then(() => true)
        .catch(() => false)
    await eventually(typed, { what: 'the console takes a line' })
    await session.logs.line('[chat] still here')
    expect(await processOf(session.id)).toBe(before)
    expect(session.statuses.at(-1)).toBe('RUNNING')
    await session.stop()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
    expect(session.statuses.filter((status) => status !== 'PENDING' && status !== 'STARTING')).toEqual([
      'RUNNING',
      'STOPPING',
      'STOPPED',
    ])
    expect(session.logs.gaps).toEqual([])
  })

  it('starts with nobody to hear it, restarts what crashes, and tells the whole chain in order later', async () => {
    const policy = { mode: 'ON_FAILURE' as const, maxRetries: 5, windowSeconds: 600 }
    const deployment = await deploy(stack(), { image: fakeGame, stop }, {}, policy)
    const { client } = stack()
    const { startSession } = await client.run(operations.startSession, { input: { serverGameConfigId: deployment.id } })
    if (startSession.__typename !== 'Session') throw new Error(JSON.stringify(startSession))
    const first = startSession.id
    await eventually(async () => (await query(first)).status === 'RUNNING', { what: 'it runs', limitMs: 30_000 })
    await stack().killHost()
    await stack().killControlPlane()
    stack().brokerProxy!.cut()

    const crash = async (before: readonly string[]): Promise<string> => {
      const next = await eventually(async () => (await runningOf('sgc_id', deployment.id)).find((id) => !before.includes(id)), {
        what: 'the game runs',
        limitMs: 60_000,
      })
      await run('docker', ['kill', next])
      return next
    }
    const killed = [await crash([])]
    await stack().startHost('alive')
    killed.push(await crash(killed))
    const third = await eventually(async () => (await runningOf('sgc_id', deployment.id)).find((id) => !killed.includes(id)), {
      what: 'it runs once more',
      limitMs: 60_000,
    })

    stack().brokerProxy!.restore()
    await stack().startControlPlane()
    const active = await eventually(
      async () => {
        const { serverGameConfig } = await client.run(operations.activeSessionOf, { id: deployment.id })
        const session = serverGameConfig?.activeSession
        return session && session.id !== first && session.status === 'RUNNING' ? session : undefined
      },
      { what: 'the graph shows the last one running', limitMs: 60_000 },
    )
    expect(await runningOf('session_id', active.id)).toEqual([third])
    const second = await query(active.restartOf!.id)
    expect(second).toMatchObject({ status: 'CRASHED', exitCode: 137, restartOf: { id: first } })
    const begin = await query(first)
    expect(begin).toMatchObject({ status: 'CRASHED', exitCode: 137, restartOf: null })
    expect(Date.parse(begin.endedAt!)).toBeLessThan(Date.parse(second.startedAt!))
    const last = joinSession(active.id)
    await last.stop()
    expect(await last.ended()).toMatchObject({ status: 'STOPPED', endReason: 'REQUESTED' })
  })
})
