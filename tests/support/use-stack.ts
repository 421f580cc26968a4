import { afterAll, afterEach, beforeAll } from 'vitest'
import { follow, type Play, start } from './play.ts'
import { type Stack, type StackOptions, startStack } from './stack.ts'

/**
 * One stack for the tests of a file. Sessions started by `play` end with their test; when one fails, the last lines of every
 * program are shown. At the end everything is closed, and whatever was left behind fails the file.
 */
export const useStack = (options: StackOptions) => {
  let stack: Stack | undefined
  const plays: Play[] = []
  const running = (): Stack => {
    if (!stack) throw new Error('the stack has not started')
    return stack
  }
  beforeAll(async () => {
    stack = await startStack(options)
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(await running().logs())
    const ending = plays.splice(0).map((play) => play.close())
    await Promise.all(ending)
  })
  afterAll(async () => {
    await stack?.close()
  })
  return {
    stack: running,
    play: async (deployment: { id: string }): Promise<Play> => {
      const play = await start(running(), deployment)
      plays.push(play)
      return play
    },
    /** A session that the platform has started. */
    join: (sessionId: string): Play => {
      const play = follow(running(), sessionId)
      plays.push(play)
      return play
    },
  }
}
