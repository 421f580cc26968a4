import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readFiles } from '../../../../lib/eggs/files.ts'
import type { Unmapped } from '../../../../lib/eggs/report.ts'

const names = new Map([
  ['NAME', '{{NAME}}'],
  ['SLOTS', '{{SLOTS}}'],
  ['QUERY_PORT', '{{port.query-port}}'],
])

const read = (files: unknown) => {
  const unmapped: Unmapped[] = []
  return { files: readFiles(files, names, (path, reason) => unmapped.push({ path, reason })), unmapped }
}
const patch = (parser: string, find: object) => {
  const { files, unmapped } = read({ 'a.cfg': { parser, find } })
  return { strategy: files[0]?.strategy, content: files[0]?.content, left: unmapped.map(({ path }) => path) }
}
const at = (key: string): string => `config.files.a.cfg.find.${key}`

describe('placeholders of the panel', () => {
  it.each([
    ['{{server.build.default.port}}', '{{port.game}}'],
    ['{{server.allocations.default.port}}', '{{port.game}}'],
    ['{{server.build.default.ip}}', '0.0.0.0'],
    ['{{server.build.memory}}M', '{{memoryMb}}M'],
    ['{{server.uuid}}', '{{deployment.id}}'],
    ['{{server.build.env.NAME}}', '{{NAME}}'],
    ['{{server.environment.NAME}} of {{ env.SLOTS }}', '{{NAME}} of {{SLOTS}}'],
    ['{{env.QUERY_PORT}}', '{{port.query-port}}'],
    ['{{NAME}}', '{{NAME}}'],
    ['{ "a": 1 }', '{ "a": 1 }'],
  ])('%s is %s', (egg, ours) => {
    expect(patch('ini', { key: egg })).toEqual({ strategy: 'INI', content: `key=${ours}\n`, left: [] })
  })

  it.each(['{{env.NOBODY}}', '{{config.docker.interface}}', '{{server.build.env.{NAME}}', '{{server.build.env.NAME}', '{{}}'])(
    '%s has no value, and the line is left out',
    (egg) => {
      expect(patch('ini', { key: egg, other: 'x' })).toEqual({ strategy: 'INI', content: 'other=x\n', left: [at('key')] })
    },
  )
})

describe('a patch', () => {
  it('of properties escapes what the format would read', () => {
    const { strategy, content } = patch('properties', { 'a key:=': ' C:\\games', motd: 'a = b', on: true, n: 5 })
    expect(strategy).toBe('PROPERTIES')
    expect(content).toBe('a\\ key\\:\\==\\ C:\\\\games\nmotd=a = b\non=true\nn=5\n')
  })

  it('of INI has sections, whose names may have dots within brackets', () => {
    const find = { top: '1', 'Server.Name': '{{env.NAME}}', '[/Script/A.B].Slots': '{{env.SLOTS}}', 'Server.net.Max': 2 }
    expect(patch('ini', find)).toEqual({
      strategy: 'INI',
      content: 'top=1\n[Server]\nName={{NAME}}\nnet.Max=2\n[/Script/A.B]\nSlots={{SLOTS}}\n',
      left: [],
    })
    expect(patch('ini', { 'a=b': '1', x: 'two\nlines', '': 'y', 'b\u0001': 'z' }).left).toEqual(
      ['a=b', 'x', '', 'b\u0001'].map(at),
    )
  })

  it('of JSON is a nested document, in which whole numbers are numbers', () => {
    const find = {
      port: '{{server.build.default.port}}',
      'a.b': '0.0.0.0',
      'a.c': '25565',
      'x~1y': true,
      'l.*.z': 'each',
      __proto__x: '1.5',
    }
    const { strategy, content } = patch('json', find)
    expect(strategy).toBe('JSON')
    expect(JSON.parse(content!)).toEqual({
      port: '{{port.game}}',
      a: { b: '0.0.0.0', c: 25_565 },
      'x.y': true,
      l: { '*': { z: 'each' } },
      __proto__x: '1.5',
    })
  })

  it('of YAML is one too', () => {
    const { strategy, content } = patch('yml', {
      'listeners.host': '0.0.0.0:{{server.build.default.port}}',
      'servers.*.on': '{{env.NAME}}',
    })
    expect(strategy).toBe('YAML')
    expect(parse(content!)).toEqual({ listeners: { host: '0.0.0.0:{{port.game}}' }, servers: { '*': { on: '{{NAME}}' } } })
  })

  it('of TOML has tables', () => {
    const find = { bind: '0.0.0.0:{{server.build.default.port}}', 'a.b.c': '5', 'a.d': 'say "hi"', 'a.*.e': false }
    expect(patch('toml', find).content).toBe(
      'bind = "0.0.0.0:{{port.game}}"\n[a]\nd = "say \\"hi\\""\n[a.b]\nc = 5\n[a."*"]\ne = false\n',
    )
  })

  it('of a document sets entries of lists by their numbers', () => {
    const { content, left } = patch('yaml', {
      'listeners[0].host': 'x',
      'listeners[0].query_port': '{{server.build.default.port}}',
      'listeners[1][0]': 'y',
      'listeners.*.z': '5',
      'config.0.name': 'z',
    })
    expect(parse(content!)).toEqual({
      listeners: { '[0]': { host: 'x', query_port: '{{port.game}}' }, '[1]': { '[0]': 'y' }, '*': { z: 5 } },
      config: { '0': { name: 'z' } },
    })
    expect(left).toEqual([])
  })

  it('of a document replaces no value by a section, no object by a list, and leaves no gap in one', () => {
    expect(patch('json', { a: '1', 'a.b': '2', 'c..d': '3', 'a[0]': '4', 'e.f': '5', 'e[0]': '6', 'g[1]': '7' })).toEqual({
      strategy: 'JSON',
      content: '{\n  "a": 1,\n  "e": {\n    "f": 5\n  }\n}\n',
      left: [at('a.b'), at('c..d'), at('a[0]'), at('e[0]'), at('g[1]')],
    })
  })

  it('of XML has one outermost element; attributes are written in brackets', () => {
    const find = {
      'Settings.Name': '{{env.NAME}} & <co>',
      'Settings.Net.Port': "[value='{{server.build.default.port}}']",
      'Settings.On': true,
    }
    expect(patch('xml', find)).toEqual({
      strategy: 'XML',
      content:
        '<Settings>\n  <Name>{{NAME}} &amp; &lt;co&gt;</Name>\n  <Net>\n    <Port value="{{port.game}}"/>\n  </Net>\n  <On>true</On>\n</Settings>\n',
      left: [],
    })
    expect(patch('xml', { 'a.b': '1', 'c.d': '2', 'a.*': '3', 'a.e': '\u0001', a: '4', 'a.b.f': '5' }).left).toEqual(
      ['c.d', 'a.*', 'a.e', 'a', 'a.b.f'].map(at),
    )
  })

  it('of lines finds them by their beginning, also at the next start', () => {
    const find = {
      'port=': 'port={{server.build.default.port}}',
      '  name ': '  name "{{env.NAME}}"',
      '//slots=': 'slots = {{env.SLOTS}};',
      'slots=': 'slots = {{env.SLOTS}};',
      'exec server;': '',
      '#x:': 'x:\n  y: 1',
    }
    const { strategy, content, left } = patch('file', find)
    expect(strategy).toBe('LINES')
    expect(JSON.parse(content!)).toEqual({
      'port=': { line: 'port={{port.game}}', append: false },
      'name ': { line: '  name "{{NAME}}"', append: false },
      'slots =': { line: 'slots = {{SLOTS}};', append: true },
    })
    expect(left).toEqual([at('//slots='), at('slots='), at('exec server;'), at('#x:')])
  })

  it('of every line is the whole file', () => {
    expect(patch('file', { '': '{{server.build.default.port}}' })).toEqual({
      strategy: 'REPLACE',
      content: '{{port.game}}\n',
      left: [],
    })
  })

  it('leaves out values that are replaced on a condition', () => {
    expect(patch('yaml', { 'servers.*.address': { '127.0.0.1': '{{config.docker.interface}}' }, a: null, b: 'x' })).toEqual({
      strategy: 'YAML',
      content: 'b: x\n',
      left: [at('servers.*.address'), at('a')],
    })
  })
})

describe('a file', () => {
  const file = { parser: 'ini', find: { a: '1' } }
  it('is in the volume', () => {
    const { files, unmapped } = read({
      '/cfg//a.ini': file,
      './b.ini': file,
      'c\\d.ini': file,
      '/home/container/e.ini': file,
      '../f': file,
      '/': file,
      ' ': file,
    })
    expect(files.map(({ path }) => path)).toEqual(['cfg/a.ini', 'b.ini', 'c/d.ini', 'e.ini'])
    expect(unmapped.map(({ path }) => path)).toEqual(['config.files.../f', 'config.files./', 'config.files. '])
  })

  it('is told when nothing can be made of it', () => {
    const { files, unmapped } = read({ a: { parser: 'ini' }, b: { parser: 'msi', find: { a: '1' } }, c: 5, d: file, './d': file })
    expect(files.map(({ path }) => path)).toEqual(['d'])
    expect(unmapped.map(({ path }) => path)).toEqual(['config.files.b', 'config.files.c', 'config.files../d'])
  })

  it.each([undefined, null, '', '{}', [], '[]', {}])('is not there: %j', (none) => {
    expect(read(none)).toEqual({ files: [], unmapped: [] })
  })
})
