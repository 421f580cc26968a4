import { expect, it } from 'vitest'
import { makeSkipWatch } from '../../../../host/logs/skip.ts'
import { stampOfMs } from '../../../../host/logs/stamp.ts'

const openedAtMs = 1_800_000_000_000

/** Whether each of the entries, [written, read] in ms after the connection began, may stand behind a hole. */
const judge = (...entries: [number, number][]): boolean[] => {
  let nowMs = openedAtMs
  const watch = makeSkipWatch({ openedAtMs, now: () => nowMs })
  return entries.map(([writtenMs, readMs]) => {
    nowMs = openedAtMs + readMs
    return watch.maySkip(stampOfMs(openedAtMs + writtenMs))
  })
}

it('suspects a jump in what is read late', () => {
  expect(judge([10, 10], [20, 9_000], [5_000, 9_000])).toEqual([false, false, true])
})

it('suspects a jump to the present after something was read late', () => {
  expect(judge([10, 9_000], [8_990, 9_000])).toEqual([false, true])
})

it.each<[string, [number, number][]]>([
  ['a game that was silent', [[10, 10], [60_000, 60_001], [120_000, 120_001]]], // biome-ignore format: pairs
  ['a dense log that is read late', [[10, 9_000], [100, 9_000], [190, 9_000], [280, 9_000]]], // biome-ignore format: pairs
  ['what was written before the connection', [[-50_000, 10], [-9_000, 10], [-10, 10]]], // biome-ignore format: pairs
  ['the first entry of a connection', [[5_000, 9_000]]],
  ['streams that are a little out of order', [[100, 9_000], [94, 9_000], [101, 9_000]]], // biome-ignore format: pairs
])('does not suspect %s', (_, entries) => {
  expect(judge(...entries)).not.toContain(true)
})

it.each<[boolean, string, [number, number]]>([
  [true, 'an entry that was read late', [10, 900]],
  [false, 'one that was not', [10, 20]],
  [false, 'one from before the connection', [-5_000, 900]],
])('that silence is in doubt is %s after %s', (isDoubtful, _, [writtenMs, readMs]) => {
  const watch = makeSkipWatch({ openedAtMs, now: () => openedAtMs + readMs })
  watch.maySkip(stampOfMs(openedAtMs + writtenMs))
  expect(watch.isDoubtful()).toBe(isDoubtful)
})
