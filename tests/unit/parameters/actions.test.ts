import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionDraft, ActionInputDraft } from '../../../lib/domain/game-config.ts'
import { makeInputCheck } from '../../../lib/domain/inputs.ts'
import { mergeActions, parseActions, renderAction, withIds } from '../../../lib/parameters/actions.ts'

const names = new Set(['server.name', 'MOTD'])
const draft = (template: string, inputs: ActionInputDraft[] = []): ActionDraft => ({
  name: 'act',
  label: 'Act',
  template,
  inputs,
})
const ids = () => {
  let count = 0
  return () => `id-${++count}`
}
const faultsOf = (...drafts: ActionDraft[]): string[] => {
  const check = makeInputCheck()
  parseActions(check, drafts, names)
  return check.issues.map(({ path, message }) => `${path}: ${message}`)
}
const run = (given: ActionDraft, values: Record<string, unknown>, known = new Map([['MOTD', 'hello']])) => {
  const check = makeInputCheck()
  const [action] = withIds(parseActions(check, [given], names), [], ids())
  check.throwIfAny()
  const line = renderAction(check, action!, values, known)
  return { line, faults: check.issues.map(({ path, message }) => `${path}: ${message}`) }
}

describe('an action', () => {
  it.each<[ActionDraft, RegExp]>([
    [draft('say {{text}}'), /0\.template: .*\{\{text\}\}/],
    [draft('say\nstop'), /line breaks/],
    [{ ...draft('x'), name: 'two words' }, /0\.name/],
    [draft('x', [{ name: 'MOTD', type: 'STRING' }]), /something else/],
    [draft('x', [{ name: 'a', type: 'ENUM' }]), /options/],
    [draft('x', [{ name: 'a', type: 'STRING', options: ['b'] }]), /options/],
    [draft('x', [{ name: 'a', type: 'INT', min: 2, max: 1 }]), /max/],
    [draft('x', [{ name: 'a', type: 'STRING', pattern: '(' }]), /RE2/],
    [draft('x', [{ name: 'a', type: 'INT', max: 5, default: '6' }]), /default: must not be more than 5/],
    [draft('x', [{ name: 'a', type: 'STRING', default: 'a;b' }]), /default: must not contain ;/],
  ])('%j is refused', (given, fault) => expect(faultsOf(given)).toEqual([expect.stringMatching(fault)]))

  it('that is kept under its name keeps its id', () => {
    const check = makeInputCheck()
    const first = withIds(parseActions(check, [draft('a'), { ...draft('b'), name: 'other' }], names), [], ids())
    const second = withIds(
      parseActions(
        check,
        [
          { ...draft('c'), name: 'other' },
          { ...draft('d'), name: 'new' },
        ],
        names,
      ),
      first,
      () => 'fresh',
    )
    expect(second.map(({ id }) => id)).toEqual(['id-2', 'fresh'])
  })

  it('of a deeper level counts for one of the same name', () => {
    const check = makeInputCheck()
    const at = (template: string, name: string) =>
      withIds(parseActions(check, [{ ...draft(template), name }], names), [], () => template)
    expect(mergeActions(at('game', 'say'), at('config', 'kick'), at('deployment', 'say')).map(({ id }) => id)).toEqual([
      'deployment',
      'config',
    ])
  })
})

describe('a run of an action', () => {
  const say = draft('say {{text}} ({{MOTD}}) x{{count}}', [
    { name: 'text', type: 'STRING', max: 20 },
    { name: 'count', type: 'INT', required: false, default: '1' },
  ])

  it('types what was filled in, what has a default, and what the session has', () => {
    expect(run(say, { text: "it's on" })).toEqual({ line: "say it's on (hello) x1", faults: [] })
    expect(run(say, { text: 'a', count: 3 })).toEqual({ line: 'say a (hello) x3', faults: [] })
  })

  it('is refused with every fault', () => {
    expect(run(say, { count: 'many', other: 1 })).toMatchObject({
      line: undefined,
      faults: [
        expect.stringMatching(/^values\.other: is not an input/),
        expect.stringMatching(/^values\.text: has no value/),
        expect.stringMatching(/^values\.count: must be a whole number/),
      ],
    })
    expect(run(say, { text: ['a'] }).faults).toEqual([expect.stringMatching(/^values\.text: must be text/)])
  })

  it('is one line and one command, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { line } = run(draft('kick "{{player}}"', [{ name: 'player', type: 'STRING' }]), { player: text })
        if (line === undefined) return
        expect(line).toBe(`kick "${text}"`)
        expect(text).not.toMatch(/[\p{Cc}\u2028\u2029;"]/u)
      }),
    )
    expect(run(draft('a {{x}}', [{ name: 'x', type: 'STRING' }]), { x: '{{MOTD}}' }).line).toBe('a {{MOTD}}')
  })

  it('may have what a pattern of its own allows, and never a line break', () => {
    const free = draft('tell {{x}}', [{ name: 'x', type: 'STRING', pattern: '(?s).*' }])
    expect(run(free, { x: 'a; "b"' }).line).toBe('tell a; "b"')
    expect(run(free, { x: 'a\nb' }).faults).toEqual([expect.stringMatching(/line breaks/)])
  })

  it('leaves empty what a session that was begun before does not have', () => {
    expect(run(draft('a {{MOTD}}b'), {}, new Map()).line).toBe('a b')
  })
})
