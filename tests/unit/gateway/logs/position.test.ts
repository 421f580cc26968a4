import { parse, print } from 'graphql'
import { describe, expect, it } from 'vitest'
import { takePosition, toMovableLogs } from '../../../../gateway/logs/position.ts'
import { findOperation } from '../../../../gateway/operation.ts'
import { readSupergraph, toPublicSchema } from '../../../../gateway/supergraph.ts'

const schema = toPublicSchema(readSupergraph())
const movable = (text: string) => toMovableLogs(schema, findOperation(parse(text), undefined))
const told = (text: string): string => print(movable(text)!.operation.document)

describe('a log whose start can be moved', () => {
  it('keeps what its client selects, and has its start from us', () => {
    const text = `
      subscription Watch($id: ID!, $tail: Int = 7, $full: Boolean!) {
        log: sessionLogs(sessionId: $id, tail: $tail) { ...Batch text @include(if: $full) }
      }
      fragment Batch on SessionLogBatch { cursor }
    `
    expect(told(text)).toBe(
      print(
        parse(`
          subscription Watch($id: ID!, $full: Boolean!, $manman_after: String, $manman_tail: Int) {
            log: sessionLogs(sessionId: $id, after: $manman_after, tail: $manman_tail) {
              ...Batch text @include(if: $full) manman_cursor: cursor manman_end: end manman_gap: gap { kind }
            }
          }
          fragment Batch on SessionLogBatch { cursor }
        `),
      ),
    )
    expect(movable(text)!.responseName).toBe('log')
  })

  it.each([
    ['sessionLogs(sessionId: "a")', {}, { after: null, tail: null }],
    ['sessionLogs(sessionId: "a", after: "5")', {}, { after: '5', tail: null }],
    ['sessionLogs(sessionId: "a", tail: $n)', { n: 3 }, { after: null, tail: 3 }],
    ['sessionLogs(sessionId: "a", tail: $n)', {}, { after: null, tail: 9 }],
    ['sessionLogs(sessionId: "a", tail: $n)', { n: null }, { after: null, tail: null }],
    // Both is for the subgraph to refuse.
    ['sessionLogs(sessionId: "a", after: $at, tail: 1)', { at: '2' }, { after: '2', tail: 1 }],
  ])('reads where %s begins', (field, variables, start) => {
    const names = ['at', 'n']
      .filter((name) => field.includes(`$${name}`))
      .map((name) => ({ at: '$at: String', n: '$n: Int = 9' })[name])
    const logs = movable(`subscription ${names.length > 0 ? `(${names})` : ''} { ${field} { text } }`)!
    expect(logs.read(variables)).toEqual({ sessionId: 'a', start, others: {} })
  })

  it('tells apart by all variables but those of the start', () => {
    const logs = movable('subscription ($id: ID!, $after: String!) { sessionLogs(sessionId: $id, after: $after) { text } }')!
    const asked = logs.read({ id: 'x', after: '4', unknown: 1 })!
    expect(asked).toEqual({ sessionId: 'x', start: { after: '4', tail: null }, others: { id: 'x' } })
    expect(logs.variablesFor({ after: '9', tail: null }, asked.others)).toEqual({ id: 'x', manman_after: '9' })
  })

  it.each([
    'subscription { sessionChanged(sessionId: "a") { id } }',
    'subscription { ...All } fragment All on Subscription { sessionLogs(sessionId: "a") { text } }',
    'subscription { sessionLogs(sessionId: "a") @skip(if: false) { text } }',
    'subscription ($manman_after: ID!) { sessionLogs(sessionId: $manman_after) { text } }',
    '{ session(id: "a") { id } }',
  ])('is none in %s', (text) => {
    expect(movable(text)).toBeUndefined()
  })

  it('is left to the planner when its variables are not valid', () => {
    const logs = movable('subscription ($n: Int!) { sessionLogs(sessionId: "a", tail: $n) { text } }')!
    expect(logs.read({ n: 'many' })).toBeUndefined()
    expect(logs.read({})).toBeUndefined()
  })

  it('is the same for the same document, since plans hang on it', () => {
    const operation = findOperation(parse('subscription { sessionLogs(sessionId: "a") { text } }'), undefined)
    expect(toMovableLogs(schema, operation)).toBe(toMovableLogs(schema, operation))
  })

  it('gives its client what was asked for, and keeps the position', () => {
    const data = (end: boolean, gap: object | null = null) => ({
      log: { text: 'a', manman_cursor: '4', manman_end: end, manman_gap: gap },
    })
    const event = { data: { log: { text: 'a' } } }
    expect(takePosition({ data: data(false) }, 'log')).toEqual({ event, cursor: '4', isPlain: true })
    expect(takePosition({ data: data(false, {}) }, 'log')).toEqual({ event, cursor: '4', isPlain: false })
    expect(takePosition({ data: data(true) }, 'log')).toEqual({ event, cursor: undefined, isPlain: false })
    const failure = { data: null, errors: [] }
    expect(takePosition(failure, 'log')).toEqual({ event: failure, cursor: undefined, isPlain: false })
  })

  it('makes one batch of several, by whatever names they are selected', () => {
    const { merge } = movable(`
      subscription { sessionLogs(sessionId: "a") { at: cursor ...More ... on SessionLogBatch { text gap { kind } end } } }
      fragment More on SessionLogBatch { rows: lines { seq } text @skip(if: false) }
    `)!
    const batch = (seq: number, text: string) => ({ at: String(seq), rows: [{ seq }], text, gap: null, end: false })
    expect(merge!([batch(1, ''), batch(2, 'b'), batch(3, '')])).toEqual({
      at: '3',
      rows: [{ seq: 1 }, { seq: 2 }, { seq: 3 }],
      text: '\nb\n',
      gap: null,
      end: false,
    })
    expect(merge!([{ at: '1' }, { at: '2' }])).toEqual({ at: '2' })
  })
})
