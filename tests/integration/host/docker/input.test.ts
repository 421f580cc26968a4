import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDockerClients } from '../../../../host/docker/client.ts'
import { makeGameInput } from '../../../../host/docker/input.ts'
import { OutcomeUnknown, Unavailable } from '../../../../lib/domain/errors.ts'
import { eventually } from '../../../support/eventually.ts'
import { type Game, openSandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
beforeAll(async () => {
  box = await openSandbox()
})
afterAll(() => box.close())

const hears = (game: Game, text: string): Promise<unknown> =>
  eventually(async () => (await box.written(game)).includes(text), { what: `the game wrote ${text}` })

it('writes lines to the game in the order of the calls, and nothing else', async () => {
  const game = await box.game()
  const input = box.docker.input(game.id)
  await Promise.all(Array.from({ length: 50 }, (_, i) => input.write(`say ${i + 1}`)))
  await hears(game, '[chat] 50')
  const expected = ['ready', ...Array.from({ length: 50 }, (_, i) => `[chat] ${i + 1}`), '']
  expect((await box.written(game)).split('\n')).toEqual(expected)
  input.close()
})

it.each([false, true])('leaves stdin open when it lets go (terminal: %s)', async (tty) => {
  const game = await box.game({ tty })
  for (const word of ['first', 'second']) {
    const input = box.docker.input(game.id)
    // Ctrl-P Ctrl-Q is Docker's key for detaching, and here only text.
    await input.write(`say ${word} \u0010\u0011`)
    await hears(game, `[chat] ${word}`)
    input.close()
  }
  expect(await box.docker.containers.inspect(game.id)).toMatchObject({ state: 'running' })
})

it('takes nothing once the game has ended', async () => {
  const game = await box.game()
  const input = box.docker.input(game.id)
  await input.write('quit')
  await box.ended(game)
  await expect(input.write('say late')).rejects.toThrow(Unavailable)
  await box.docker.containers.remove(game.id)
  await expect(input.write('say later')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

it('says that the outcome is unknown when the game does not read', async () => {
  const game = await box.game({ command: ['/bin/sleep', '1000'] })
  const clients = makeDockerClients({ socketPath: box.socketPath })
  const input = makeGameInput({ clients, containerId: game.id, writeTimeoutMs: 300 })
  const long = 'x'.repeat(100_000)
  const outcome = await (async () => {
    for (let i = 0; i < 100; i++) await input.write(long)
  })().catch((error: unknown) => error)
  expect(outcome).toBeInstanceOf(OutcomeUnknown)
  input.close()
  clients.close()
})

it('refuses more than one line at a time, and an engine that is away', async () => {
  const clients = makeDockerClients({ socketPath: '/nowhere/docker.sock' })
  const input = makeGameInput({ clients, containerId: 'x' })
  await expect(input.write('a\nb')).rejects.toThrow('One line')
  await expect(input.write('a')).rejects.toThrow(Unavailable)
  clients.close()
})
