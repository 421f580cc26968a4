import { describe, expect, inject, it } from 'vitest'
import { run } from '../support/images/docker-cli.ts'
import { deploy } from '../support/play.ts'
import { useStack } from '../support/use-stack.ts'

const containerOf = async (sessionId: string): Promise<{ id: string; startedAt: string }> => {
  const id = (await run('docker', ['ps', '--quiet', '--no-trunc', '--filter', `label=manman.session_id=${sessionId}`])).trim()
  const startedAt = await run('docker', ['inspect', '--format', '{{.State.StartedAt}}', id])
  return { id, startedAt: startedAt.trim() }
}

describe('the host is killed', () => {
  const { stack, play } = useStack({ topology: 'one' })
  const { fakeGame } = inject('images')

  it('while a game prints on both streams: every line arrives once and in order, and the console works again', async () => {
    const total = 6_000
    const envTemplate = { TOTAL: String(total), RATE: '2000' }
    const session = await play(await deploy(stack(), { image: fakeGame, envTemplate, stop: { kind: 'STDIN', value: 'quit' } }))
    await session.logs.count(total / 6)
    const before = await containerOf(session.id)

    await stack().killHost()
    await stack().startHost()
    await session.logs.line('counted')
    expect(await containerOf(session.id)).toEqual(before)

    const numbers = session.logs.lines.flatMap(({ stream, text }) => {
      const number = Number(/^line (\d+)$/.exec(text)?.[1])
      return number ? [{ stream, number }] : []
    })
    for (const [stream, rest] of [
      ['STDOUT', 1],
      ['STDERR', 0],
    ] as const) {
      const printed = numbers.filter((line) => line.stream === stream).map((line) => line.number)
      expect(printed).toEqual(Array.from({ length: total / 2 }, (_, index) => 2 * index + 2 - rest))
    }
    expect(session.logs.gaps).toEqual([])

    await session.type('say still here')
    await session.logs.line('[chat] still here')
    await session.stop()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
  })

  it('and the game ends before it is back: the true exit code and the whole log are told', async () => {
    const session = await play(await deploy(stack(), { image: fakeGame }))
    await session.logs.line('ready')
    const { id } = await containerOf(session.id)
    await session.type('sh sleep 1; echo last words; exit 7')
    await stack().killHost()
    await run('docker', ['wait', id])
    await stack().startHost()
    expect(await session.ended()).toMatchObject({ status: 'CRASHED', exitCode: 7, endReason: 'CRASHED' })
    expect(session.logs.texts('STDOUT')).toEqual(['ready', 'last words'])
  })

  it('between two sessions: what was stopped meanwhile is stopped when it is back', async () => {
    const session = await play(await deploy(stack(), { image: fakeGame, stop: { kind: 'STDIN', value: 'quit' } }))
    await session.logs.line('ready')
    await stack().killHost()
    await session.stop()
    await session.until('STOPPING')
    await stack().startHost()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
  })
})
