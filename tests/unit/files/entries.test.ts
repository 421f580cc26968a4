import { describe, expect, test } from 'vitest'
import type { FileStrategy } from '../../../lib/domain/game-config.ts'
import { fileFaults, UnreadableFile } from '../../../lib/files/files.ts'
import { render } from './values.ts'

describe('entries of lists', () => {
  const proxy =
    'listeners:\r\n- query_port: 25577 # mine\r\n  motd: "&1Hi"\r\n  host: 0.0.0.0:25577\r\n\r\nservers:\r\n  lobby:\r\n    address: localhost:25565\r\n'

  test('YAML: one of a proxy’s listeners gets its port, and all else stays', () => {
    const content = 'listeners:\n  "[0]":\n    host: 0.0.0.0:{{p}}\n    query_port: "{{p}}"\n'
    expect(render('YAML', content, proxy, { p: { text: '7000', kind: 'number' } })).toBe(
      proxy.replace('query_port: 25577', 'query_port: 7000').replace('host: 0.0.0.0:25577', 'host: "0.0.0.0:7000"'),
    )
    expect(render('YAML', content, null, { p: { text: '7000', kind: 'number' } })).toBe(
      'listeners:\n  - {host: "0.0.0.0:7000", query_port: 7000}\n',
    )
  })

  test.each<[FileStrategy, string, string, string]>([
    ['JSON', '{"l": {"0": 5, "2": {"a": 1}}}', '{"l": [1, 2]}', '{"l": [5, 2, {"a": 1}]}'],
    [
      'JSON',
      '{"l": {"0": {"a": 1}}}',
      '{\n  "l": [\n    {"a": 0, "b": 2}, // c\n  ]\n}',
      '{\n  "l": [\n    {"a": 1, "b": 2}, // c\n  ]\n}',
    ],
    ['JSON', '{"l": {"1": 2}}', '{\n  "l": [\n    1 // one\n  ]\n}', '{\n  "l": [\n    1, // one\n    2\n  ]\n}'],
    ['JSON', '{"l": {"*": {"on": true}, "1": {"n": 1}}}', '{"l": [{}]}', '{"l": [{"on": true}, {"on": true, "n": 1}]}'],
    ['JSON', '{"l": {"0": 1}}', '{"l": {"0": 2}}', '{"l": {"0": 1}}'],
    ['JSON', '{"l": {"[0]": 1}}', '{"l": {"0": 2}}', '{"l": [\n  1\n]}'],
    ['JSON', '{"l": {"a": 1}}', '{"l": [2]}', '{"l": {"a": 1}}'],
    [
      'YAML',
      '{l: {"0": 5, "1": 6, "2": 7}}',
      'l: # c\n  - 1 # one\n  -\n  # last\nz: 1\n',
      'l: # c\n  - 5 # one\n  - 6\n  - 7\n  # last\nz: 1\n',
    ],
    ['YAML', '{l: {"*": {p: 1}}}', 'l: [{p: 2}, {q: 3}]\n', 'l: [{p: 1}, {q: 3, "p": 1}]\n'],
    ['YAML', '{l: {"1": x}}', 'l: [a]', 'l: [a, x]'],
    ['YAML', '{l: {"1": x}}', 'l:\n- |\n  a\n\nz: 1\n', 'l:\n- |\n  a\n- x\n\nz: 1\n'],
    [
      'TOML',
      'l = {0 = {p = 1}, 1 = {q = 2}}',
      '[[l]] # c\np = 0\n[l.i]\nx = 1\n',
      '[[l]] # c\np = 1\n[l.i]\nx = 1\n\n[[l]]\nq = 2\n',
    ],
    ['TOML', 'l = {0 = {n = {p = 1}}}', '[[l]]\na = 1\n[[l]]\na = 2\n', '[[l]]\na = 1\nn = { p = 1 }\n[[l]]\na = 2\n'],
    ['TOML', 'l = {"*" = 5, 2 = 6}', 'l = [ 1, # c\n 2 ]\n', 'l = [ 5, # c\n 5, 6 ]\n'],
  ])('%s: %j', (strategy, content, current, expected) => {
    expect(render(strategy, content, current)).toBe(expected)
  })

  test.each<[FileStrategy, string, string, number]>([
    ['JSON', '{"l": {"3": 1}}', '{\n"l": [1, 2]}', 2],
    ['YAML', 'l: {"3": 1}', 'l:\n  - 1\n  - 2\n', 2],
    ['TOML', 'l = {3 = {a = 1}}', '[[l]]\n[[l]]\n', 1],
    ['TOML', 'l = {3 = 1}', 'l = [1, 2]', 1],
  ])('%s: a list gets no gap', (strategy, content, current, line) => {
    const words = `server.cfg, line ${line}: the list has 2 entries, and one behind entry 2 is to be set`
    expect(() => render(strategy, content, current)).toThrow(words)
    expect(() => render(strategy, content, current)).toThrow(UnreadableFile)
  })

  test('content says entries of a list without a gap, and nothing else beside them', () => {
    const faults = (content: string) => fileFaults({ path: 'f', strategy: 'JSON', content }, new Set())
    expect(faults('{"l": {"[0]": 1, "[1]": 2, "*": 3}, "m": {"5": 1}}')).toEqual([])
    expect(faults('{"l": {"[1]": 1}}')).toEqual(['the key [0] is not there, and one behind it is'])
    expect(faults('{"l": {"[0]": 1, "a": 2}}')).toEqual(['entries of a list and of an object stand in one object'])
  })
})

describe('a placeholder alone is of the type that stands there', () => {
  test.each<[FileStrategy, string, 'text' | 'number' | 'boolean', string, string]>([
    ['JSON', '{"v": 25565}', 'text', '25570', '{"v": 25570}'],
    ['JSON', '{"v": "1"}', 'number', '2', '{"v": "2"}'],
    ['JSON', '{"v": "yes"}', 'boolean', 'true', '{"v": "true"}'],
    ['JSON', '{"v": true}', 'text', 'false', '{"v": false}'],
    ['JSON', '{"v": true}', 'text', '1', '{"v": "1"}'],
    ['JSON', '{"v": true}', 'number', '1', '{"v": 1}'],
    ['JSON', '{"v": 5}', 'text', '05', '{"v": "05"}'],
    ['JSON', '{"v": null}', 'number', '5', '{"v": 5}'],
    ['JSON', '{"v": [1]}', 'text', '5', '{"v": "5"}'],
    ['JSON', '{"w": 1}', 'text', '5', '{"w": 1, "v": "5"}'],
    ['YAML', 'v: 25565', 'text', '25570', 'v: 25570'],
    ['YAML', "v: '1'", 'number', '2', 'v: "2"'],
    ['YAML', 'v: world', 'number', '2', 'v: "2"'],
    ['YAML', 'a: &x 1\nv: *x', 'text', '1', 'a: &x 1\nv: *x'],
    // A reader of YAML 1.1 takes these for a boolean and a number.
    ['YAML', 'v: on', 'boolean', 'false', 'v: false'],
    ['YAML', 'v: 1_000', 'number', '2', 'v: 2'],
    ['TOML', 'v = 25565', 'text', '25570', 'v = 25570'],
    ['TOML', 'v = 1.5', 'text', '2', 'v = 2.0'],
    ['TOML', 'v = "1"', 'number', '2', 'v = "2"'],
    ['TOML', 'v = 2020-01-01', 'number', '5', 'v = 5'],
  ])('%s: %s, set to a %s %s', (strategy, current, kind, text, expected) => {
    const content = { JSON: '{"v": "{{p}}"}', YAML: 'v: "{{p}}"', TOML: 'v = "{{p}}"' }[strategy as string]!
    expect(render(strategy, content, current, { p: { text, kind } })).toBe(expected)
  })

  test('but a text with a placeholder stays a text', () => {
    expect(render('JSON', '{"v": "1{{p}}"}', '{"v": 5}', { p: { text: '2', kind: 'number' } })).toBe('{"v": "12"}')
  })
})
