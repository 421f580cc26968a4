import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renderArgs, splitArgs, UnbalancedQuotes } from '../../../lib/domain/argv.ts'
import { builtInNames, builtInValues, renderTemplate, templateFaults } from '../../../lib/domain/template.ts'

const values = new Map([
  ['server.name', 'box-1'],
  ['deployment.name', 'Bob\'s "best" world'],
  ['port.game', '25565'],
  ['extra', '-a "b c"'],
])

describe('templates', () => {
  it('are filled with values, spaces inside the braces not counting', () => {
    expect(renderTemplate('on {{server.name}}:{{ port.game }}!', values)).toBe('on box-1:25565!')
    expect(renderTemplate('{"port":{{port.game}}}', values)).toBe('{"port":25565}')
  })

  it('are refused for every unknown name at once', () => {
    const faults = templateFaults('{{server.nmae}} {{server.name}} {{x}} {{x}}', new Set(['server.name']))
    expect(faults).toHaveLength(2)
    expect(faults[0]).toContain('{{server.nmae}}, which is not known here (known: server.name)')
  })

  it.each(['{{', 'a {{server.name', '{{}}', '{{ }}', '{{a b}}', '{{{a}}}'])('%j is refused', (template) => {
    expect(templateFaults(template, new Set(['a']))).toHaveLength(1)
  })

  it('know the memory limit only where there is one', () => {
    expect(builtInNames({ portNames: ['game'], memoryMb: null })).toEqual(
      new Set(['server.name', 'deployment.id', 'deployment.name', 'port.game']),
    )
    expect(builtInNames({ portNames: [], memoryMb: 512 }).has('memoryMb')).toBe(true)
  })

  it('know the ports as players see them', () => {
    const known = builtInValues({
      serverName: 's',
      deploymentId: 'i',
      deploymentName: 'n',
      memoryMb: 512,
      ports: [{ name: 'game', hostPort: 20_000 }],
    })
    expect(Object.fromEntries(known)).toEqual({
      'server.name': 's',
      'deployment.id': 'i',
      'deployment.name': 'n',
      memoryMb: '512',
      'port.game': '20000',
    })
  })

  it('without braces come out as they went in', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('{{')),
        (text) => {
          expect(renderTemplate(text, values)).toBe(text)
        },
      ),
    )
  })
})

describe('arguments', () => {
  it.each([
    ['', []],
    ['  a   b ', ['a', 'b']],
    ['a "b c" d', ['a', 'b c', 'd']],
    ["a 'b \"c' d", ['a', 'b "c', 'd']],
    ['a\\ b "c\\"d" \'e\\f\'', ['a b', 'c"d', 'e\\f']],
    ['"" \'\'', ['', '']],
    ['--x="a b"c', ['--x=a bc']],
    ['"a\\nb"', ['a\\nb']],
    ['$HOME *.txt #no', ['$HOME', '*.txt', '#no']],
  ])('%j splits as a shell splits it', (text, expected) => expect(splitArgs(text)).toEqual(expected))

  it.each(['"a', "'a", 'a\\'])('%j is refused', (text) => expect(() => splitArgs(text)).toThrow(UnbalancedQuotes))

  it('a value stays within its word, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.constantFrom('', "'", '"'), (value, quote) => {
        const rendered = renderArgs(`x ${quote}{{v}}${quote} --y=${quote}{{v}}${quote} z`, new Map([['v', value]]))
        expect(rendered).toEqual(['x', value, `--y=${value}`, 'z'])
      }),
    )
  })

  it('an empty value makes a word in quotes, and none outside', () => {
    const empty = new Map([['v', '']])
    expect(renderArgs('a {{v}} {{v}}{{v}} --b={{v}} "{{v}}" c', empty)).toEqual(['a', '--b=', '', 'c'])
  })

  it('what was quoted for a shell comes back as it was', () => {
    const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(splitArgs(words.map(quote).join(' '))).toEqual(words)
      }),
    )
  })
})
