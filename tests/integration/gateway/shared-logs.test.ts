import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Stack, type StackMode, startStack } from '../../support/subgraphs/stack.ts'

describe.each<StackMode>(['in process', 'remote'])('viewers of one log, %s', (mode) => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ mode })
  })
  afterAll(() => stack.close())

  const watch = (variables: { after?: string; tail?: number }) =>
    stack.client.results(
      `subscription Watch($after: String, $tail: Int) { sessionLogs(sessionId: "s", after: $after, tail: $tail) { text } }`,
      variables,
    )
  const textIn = (step: IteratorResult<unknown>) => (step.value as { data: { sessionLogs: { text: string } } }).data.sessionLogs

  test('share what is read for them as nobody of them, and are told apart from those who select something else', async () => {
    const first = watch({ tail: 3 })
    const firstText = first.next()
    await expect.poll(() => stack.logs.readers).toBe(1)
    const other = stack.client.results('subscription { sessionLogs(sessionId: "s", tail: 3) { cursor } }')
    const otherCursor = other.next()
    await expect.poll(() => stack.logs.readers).toBe(2)
    stack.logs.publish({ cursor: '1', text: 'one' })
    expect(textIn(await firstText)).toEqual({ text: 'one' })
    expect((await otherCursor).value).toMatchObject({ data: { sessionLogs: { cursor: '1' } }, errors: [] })

    // It goes on where the first has just been.
    const second = watch({ after: '1' })
    const texts = Promise.all([first.next(), second.next()])
    // It begins elsewhere, and comes to where the others are with the next event.
    const third = watch({ tail: 0 })
    const thirdText = third.next()
    await expect.poll(() => stack.logs.readers).toBe(3)
    stack.logs.publish({ cursor: '2', text: 'two' })
    expect((await texts).map(textIn)).toEqual([{ text: 'two' }, { text: 'two' }])
    expect(textIn(await thirdText)).toEqual({ text: 'two' })
    await expect.poll(() => stack.logs.readers).toBe(2)
    expect(stack.logArguments).toHaveLength(3)
    expect(new Set(stack.logActors)).toEqual(new Set(['viewers']))

    const all = Promise.all([first, second, third].map((viewer) => viewer.next()))
    stack.logs.publish({ cursor: '3', text: 'three' })
    expect((await all).map(textIn)).toEqual([{ text: 'three' }, { text: 'three' }, { text: 'three' }])

    await first.return(undefined)
    await third.return(undefined)
    await other.return(undefined)
    await expect.poll(() => stack.logs.readers).toBe(1)
    const last = second.next()
    stack.logs.publish({ cursor: '4', text: 'four' })
    expect(textIn(await last)).toEqual({ text: 'four' })
    await second.return(undefined)
    await expect.poll(() => stack.logs.readers).toBe(0)
  })
})
