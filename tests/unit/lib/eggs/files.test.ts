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
    expect(patch('ini', { 'a=b': '1', x: 'two\nlines', '': 'y' }).left).toEqual([at('a=b'), at('x'), at('')])
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

  it('of a document never replaces a list for the sake of one entry, nor a value by a section', () => {
    expect(patch('yaml', { 'listeners[0].host': 'x', 'listen.0': 'x', a: '1', 'a.b': '2', 'c..d': '3' })).toEqual({
      strategy: 'YAML',
      content: 'a: 1\n',
      left: [at('listeners[0].host'), at('listen.0'), at('a.b'), at('c..d')],
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
    expect(patch('xml', { 'a.b': '1', 'c.d': '2', 'a.*': '3', 'a.e': '\u0001' }).left).toEqual([at('c.d'), at('a.*'), at('a.e')])
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
      'port=': 'port={{port.game}}',
      'name ': '  name "{{NAME}}"',
      'slots =': 'slots = {{SLOTS}};',
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
    })
    expect(files.map(({ path }) => path)).toEqual(['cfg/a.ini', 'b.ini', 'c/d.ini', 'e.ini'])
    expect(unmapped.map(({ path }) => path)).toEqual(['config.files.../f', 'config.files./'])
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
