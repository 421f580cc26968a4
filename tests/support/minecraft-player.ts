import type { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { eventually } from './eventually.ts'
import { minecraftPackages, minecraftVersion } from './images/minecraft.ts'

/** What we use of mineflayer, which is installed beside the server and not with ManMan. */
interface Bot extends EventEmitter {
  game: { maxPlayers: number }
  _client: EventEmitter
  end(): void
}

/** Joins as a player, and is in the world when it resolves. Bot, packets and chunks are mineflayer's. */
export const joinMinecraft = async (port: number, username: string) => {
  const { createBot } = createRequire(minecraftPackages)('mineflayer') as { createBot(options: object): Bot }
  const bot = createBot({ host: '127.0.0.1', port, username, auth: 'offline', version: minecraftVersion })
  const heard: string[] = []
  let difficulty: unknown
  let reached: 'way' | 'world' | 'end' = 'way'
  let fault: Error | undefined
  bot._client.on('difficulty', (packet) => {
    difficulty = packet.difficulty
  })
  bot.on('messagestr', (text: string) => heard.push(text))
  bot.once('spawn', () => {
    reached = 'world'
  })
  bot.on('error', (error: Error) => {
    fault = error
  })
  bot.once('end', () => {
    reached = 'end'
  })
  const check = <T>(answer: T): T => {
    if (fault) throw fault
    return answer
  }
  await eventually(() => check(reached === 'world'), { what: `${username} is in the world` })
  return {
    maxPlayers: bot.game.maxPlayers,
    difficulty,
    /** Waits until the chat has shown a text. */
    hears: (text: string) =>
      eventually(() => check(heard.some((one) => one.includes(text))), { what: `${username} hears ${text}, not only ${heard}` }),
    /** Waits until it is out of the game again. */
    thrownOut: () => eventually(() => reached === 'end', { what: `${username} is out` }),
    leave: (): void => bot.end(),
  }
}
