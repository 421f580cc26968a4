import { expect, test } from 'vitest'
import { makeEventQueue } from '../../../gateway/event-queue.ts'

const event = (n: number) => ({ data: { n } })

const makeSource = () => {
  const calls: string[] = []
  return { calls, pause: () => void calls.push('pause'), resume: () => void calls.push('resume') }
}

test('pauses its source when the reader falls behind, and resumes it once when it has caught up', async () => {
  const queue = makeEventQueue()
  const source = makeSource()
  queue.attach(source)
  for (let n = 0; n < 40; n++) queue.push(event(n))
  expect(source.calls).toEqual(['pause'])
  for (let n = 0; n < 40; n++) expect(await queue.next()).toEqual({ done: false, value: event(n) })
  expect(source.calls).toEqual(['pause', 'resume'])
})

test('hands an event straight to a reader that waits', async () => {
  const queue = makeEventQueue()
  const waiting = queue.next()
  queue.push(event(1))
  expect(await waiting).toEqual({ done: false, value: event(1) })
})

test('what came before the end is read before it, and nothing after it', async () => {
  const queue = makeEventQueue()
  queue.push(event(1))
  queue.end({ data: null })
  queue.push(event(2))
  queue.end({ data: { n: 3 } })
  expect([await queue.next(), await queue.next(), await queue.next()]).toEqual([
    { done: false, value: event(1) },
    { done: false, value: { data: null } },
    { done: true, value: undefined },
  ])
})

test('a reader that waits at the end is let go, with the last event where there is one', async () => {
  const silent = makeEventQueue()
  const first = silent.next()
  silent.end()
  expect(await first).toEqual({ done: true, value: undefined })

  const telling = makeEventQueue()
  const second = telling.next()
  telling.end(event(9))
  expect([await second, await telling.next()]).toEqual([
    { done: false, value: event(9) },
    { done: true, value: undefined },
  ])
})
