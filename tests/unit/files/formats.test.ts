import { describe, expect, test } from 'vitest'
import { type FileStrategy, fileStrategies } from '../../../lib/domain/game-config.ts'
import { fileFaults, renderFile, UnreadableFile, UnwritableValue } from '../../../lib/files/files.ts'
import { render } from './values.ts'

describe('PROPERTIES', () => {
  test('sets and adds in place, and keeps comments, separators and line ends', () => {
    const text = '#Minecraft\r\n! c\\\r\nserver-port : 1\r\nmotd=a\\\r\n   b\r\nlast = x'
    expect(render('PROPERTIES', 'server-port={{p}}\nmotd={{m}}\nnew=1', text, { p: '25565', m: ' hé\\' })).toBe(
      '#Minecraft\r\n! c\\\r\nserver-port : 25565\r\nmotd=\\ h\\u00e9\\\\\r\nlast = x\r\nnew = 1',
    )
  })
  test('knows a value however it is escaped', () => {
    const text = 'a\\ b=\\u0061\\\n  b\nc'
    expect(render('PROPERTIES', 'a\\ b=ab\nc=', text)).toBe(text)
    expect(render('PROPERTIES', 'c==x', text)).toBe('a\\ b=\\u0061\\\n  b\nc==x')
    expect(render('PROPERTIES', '{{k}}=v', 'x 1', { k: 'a =:#!\\' })).toBe('x 1\na\\ \\=\\:\\#\\!\\\\=v')
  })
  test('a last line that goes on takes no new one in', () => {
    expect(render('PROPERTIES', 'b=1', 'a=x\\')).toBe('a=x\\\n\nb=1')
  })
})

test('a text that ends within a comment ends all the same', () => {
  const file = { path: 'a.json', strategy: 'JSON' as const, content: '{"a": 1}' }
  for (const text of ['{}\n/*', '[]0%>\\x\n:/*', '/*']) {
    expect(() => renderFile(file, new Map(), text)).toThrow(UnreadableFile)
    expect(fileFaults({ ...file, content: text }, new Set())).toHaveLength(1)
  }
})

describe('INI', () => {
  const text = '; top\r\nfree = 1\r\n\r\n[A]\r\n+Key=1\r\n# c\r\n+Key=2\r\nName = "x" ; no comment\r\n\r\n[B]\r\nkey=1'
  test('sets values by section with the spacing of the line, and lists in place', () => {
    expect(
      render('INI', 'free={{v}}\n[A]\n+Key=3\n+Key=4\n+Key=5\nName=y\nnew=1\n[B]\nKey=2\n[C]\nk=v', text, { v: 'a=b;c' }),
    ).toBe(
      '; top\r\nfree = a=b;c\r\n\r\n[A]\r\n+Key=3\r\n# c\r\n+Key=4\r\n+Key=5\r\nName = y\r\nnew = 1\r\n\r\n[B]\r\nkey=1\r\nKey=2\r\n\r\n[C]\r\nk = v',
    )
  })
  test('of a list, lines too many go', () => {
    expect(render('INI', '[A]\n+Key=1', '[A]\n+Key=1\nx=1\n+Key=2\n')).toBe('[A]\n+Key=1\nx=1\n')
  })
  test('a new section stands behind keys for the last one, whatever the order', () => {
    expect(render('INI', '[N]\na=1\n[A]\nb=2', '[A]\na=1\n')).toBe('[A]\na=1\nb=2\n\n[N]\na=1\n')
  })
  test.each([
    ['{{v}}=1', 'a=b'],
    ['{{v}}=1', '[x'],
    ['[{{v}}]', 'a]'],
    ['a={{v}}', 'a\nb'],
    ['a={{v}}', 'a\u2028b'],
  ])('refuses in %j the value %j', (content, value) => {
    expect(() => render('INI', content, 'x=1', { v: value })).toThrow(UnwritableValue)
  })
})

describe('YAML', () => {
  test('keeps everything else, and writes new keys as deep as the file does', () => {
    const text = '# top\nserver:\n    name: old  # beside\n    list:\n        - a # gone\n\n# below\nother: "x"\n'
    expect(render('YAML', 'server:\n  name: "{{n}}"\n  list: [1, b]\n  new: {deep: {x: yes}}', text, { n: 'no' })).toBe(
      '# top\nserver:\n    name: "no"  # beside\n    list:\n        - 1\n        - b # gone\n    new:\n        deep:\n            x: "yes"\n\n# below\nother: "x"\n',
    )
  })
  test('numbers and booleans of a placeholder alone are real ones', () => {
    const values = { n: { text: '5', kind: 'number' }, b: { text: 'true', kind: 'boolean' }, t: '5' } as const
    const content = 'n: "{{n}}"\nb: "{{b}}"\nt: "{{t}}"\nm: "{{n}} of {{n}}"'
    expect(render('YAML', content, 'n: 4', values)).toBe('n: 5\nb: true\nt: "5"\nm: 5 of 5'.replace('5 of 5', '"5 of 5"'))
    expect(render('YAML', content, null, values)).toBe('n: 5\nb: true\nt: "5"\nm: "5 of 5"')
    expect(render('JSON', '{"n": "{{n}}", "{{n}}": "{{b}}"}', '{}', values)).toBe('{\n  "n": 5,\n  "5": true\n}')
    expect(render('TOML', 'n = "{{n}}"', 'n = 1', values)).toBe('n = 5')
  })
  test('an alias that says the same stays, one that does not is refused', () => {
    const text = 'a: &a\n  x: 1\nb: *a\n'
    expect(render('YAML', 'b:\n  x: 1', text)).toBe(text)
    expect(() => render('YAML', 'b:\n  x: 2', text)).toThrow('server.cfg, line 3: an alias stands where a setting is to be made')
    // Who refers to a value gets the new one.
    expect(render('YAML', 'a: 5', text)).toBe('a: &a 5\nb: *a\n')
    expect(() => render('YAML', 'a: 5', 'a:\n  - &b 1\nc: *b\n')).toThrow(UnreadableFile)
  })
})

describe('a key *', () => {
  test('means every entry that is there, and nothing when none is', () => {
    const content = '{"worlds": {"*": {"pvp": false}, "b": {"pvp": true}, "n": {"x": 1}}, "none": {"*": 1}}'
    expect(render('JSON', content, '{"worlds": {"a": {"pvp": true}, "b": {}}}')).toBe(
      '{"worlds": {"a": {"pvp": false}, "b": {"pvp": true}, "n": {"pvp": false, "x": 1}}}',
    )
    expect(render('JSON', content, null)).toBe(
      '{\n  "worlds": {\n    "b": {\n      "pvp": true\n    },\n    "n": {\n      "pvp": false,\n      "x": 1\n    }\n  }\n}\n',
    )
    expect(render('YAML', 'w: {"*": {p: 1}}', 'w:\n  a:\n    p: 0\n  "*":\n    p: 2\n')).toBe(
      'w:\n  a:\n    p: 1\n  "*":\n    p: 1\n',
    )
    expect(render('TOML', '[w."*"]\np = 1', '[w.a]\np = 0\n[w.b]\n')).toBe('[w.a]\np = 1\n[w.b]\np = 1\n')
  })
  test('from a value is a plain key', () => {
    expect(render('JSON', '{"{{k}}": 1}', '{"a": 0}', { k: '*' })).toBe('{"a": 0, "*": 1}')
  })
})

describe('TOML', () => {
  test('puts settings where their table is, however it is written', () => {
    const text = '# top\n\n# about a\n[a] # c\nx = 1 # one\n\n[a.b]\ny.z = 2\n[i]\nt = { k = 1 }\n'
    expect(render('TOML', 'root = 1\n[a]\nx = 2\nn = "s"\n[a.b.y]\nw = 3\n[i.t]\nl = [1]\n[new.deep]\nk = 1', text)).toBe(
      '# top\n\nroot = 1\n\n# about a\n[a] # c\nx = 2 # one\nn = "s"\n\n[a.b]\ny.z = 2\ny.w = 3\n[i]\nt = { k = 1, l = [1] }\n\n[new.deep]\nk = 1\n',
    )
  })
  test('replaces [[tables]] as a whole, and refuses a value for a table', () => {
    expect(render('TOML', '[[m]]\na = 2', '[[m]]\na = 1\n[m.x]\n[[m]]\n# c\n[o]\n')).toBe(
      '# c\n[o]\n\n[[m]]\na = 2\n'.replace('# c\n', '# c\n'),
    )
    expect(() => render('TOML', 'a = 1', '[a]\n')).toThrow('server.cfg: a is a table there, and a value is to be set')
  })
})

describe('XML', () => {
  test('finds elements by name, sets attributes and text, appends what is missing', () => {
    const text = `<?xml version="1.0"?>\r\n<S>\r\n\t<property name="ServerPort" value='1'/> <!-- port -->\r\n\t<a><b>old</b></a>\r\n\t<e/>\r\n</S>\r\n`
    const content =
      '<S><property name="ServerPort" value="{{p}}"/><property name="New" value="1"/><a><b x="1">{{p}}</b></a><e><f/></e></S>'
    expect(render('XML', content, text, { p: `<'"&]]>` })).toBe(
      `<?xml version="1.0"?>\r\n<S>\r\n\t<property name="ServerPort" value='&lt;&apos;&quot;&amp;]]&gt;'/> <!-- port -->\r\n\t<a><b x="1">&lt;'"&amp;]]&gt;</b></a>\r\n\t<e>\r\n\t\t<f/>\r\n\t</e>\r\n\t<property name="New" value="1"/>\r\n</S>\r\n`,
    )
  })
  test('entities of a DTD are not known', () => {
    const text = '<!DOCTYPE a [<!ENTITY l SYSTEM "file:///etc/passwd">]><a>&l;</a>'
    expect(() => render('XML', '<a><b/></a>', text)).toThrow('server.cfg, line 1: is not XML: undefined entity')
  })
  test('a character XML has no way to write is refused', () => {
    expect(() => render('XML', '<a b="{{v}}"/>', '<a/>', { v: '\u0001' })).toThrow(UnwritableValue)
  })
})

describe('LINES', () => {
  test('each line that begins so becomes the line; the longest begin counts', () => {
    const content = '{"set port ": "set port {{p}}", "set portal": "set portal off", "new": "new {{p}}"}'
    expect(render('LINES', content, '  set port 1\r\nset portal on\r\n// set port\r\nset port 2\r\n', { p: '{{x}}' })).toBe(
      'set port {{x}}\r\nset portal off\r\n// set port\r\nset port {{x}}\r\nnew {{x}}\r\n',
    )
    expect(render('LINES', content, null, { p: '1' })).toBe('set port 1\nset portal off\nnew 1\n')
    expect(() => render('LINES', content, '', { p: '1\nquit' })).toThrow(UnwritableValue)
  })
  test('a line that is not to be appended is set where it stands', () => {
    const content = '{"port ": {"line": "port {{p}}", "append": false}, "[0]": {"line": "[0] x", "append": true}, "*": "* y"}'
    expect(render('LINES', content, 'port 1\n', { p: '2' })).toBe('port 2\n[0] x\n* y\n')
    expect(render('LINES', content, 'name\n', { p: '2' })).toBe('name\n[0] x\n* y\n')
    expect(render('LINES', '{"port ": {"line": "port {{p}}", "append": false}}', null, { p: '2' })).toBe('')
  })
})

test('REPLACE takes no value of more than a line, and renders no value again', () => {
  expect(render('REPLACE', 'a {{v}}\r\n', 'old', { v: '{{v}}' })).toBe('a {{v}}\r\n')
  expect(() => render('REPLACE', 'a {{v}}', null, { v: 'x\ny' })).toThrow(UnwritableValue)
})

test.each([
  ['JSON', '{"a": 1}', '{"a": 2}', '\ufeff{"a": 1}'],
  ['YAML', 'a: 1', 'a: 2', '\ufeffa: 1\r\n'],
  ['TOML', 'a = 1', 'a = 2', '\ufeffa = 1\r\n'],
  ['XML', '<a b="1"/>', '<a b="2"/>', "\ufeff<?xml version='1.0'?>\r\n<a   b='1' />\r\n"],
  ['INI', 'a=1', 'a=2', '\ufeffa =  1\r\n'],
  ['PROPERTIES', 'a=1', 'a=2', '\ufeffa : \\u0031\r\n'],
  ['LINES', '{"a=": "a=1"}', '{"a=": "a=2"}', '\ufeffa=1\r\n'],
] as const)('%s: a file that is right stays as it is, one that is not keeps its mark', (strategy, same, other, text) => {
  expect(render(strategy, same, text)).toBe(text)
  const changed = render(strategy, other, text)
  expect(changed).toContain('2')
  expect(changed.startsWith('\ufeff') && !changed.startsWith('\ufeff\ufeff')).toBe(true)
})

const broken: Partial<Record<FileStrategy, [deep: string, bad: string, line: number]>> = {
  JSON: [`${'['.repeat(101)}`, '{\n"a": }', 2],
  YAML: [`a: ${'['.repeat(101)}`, 'a: 1\nb: "\n', 3],
  TOML: [`a = ${'['.repeat(101)}`, 'a = 1\nb = ', 2],
  XML: ['<a>'.repeat(101), '<a>\n<b></a>', 2],
}
test.each(Object.entries(broken))('%s: a file that is none is told with its line', (name, [deep, bad, line]) => {
  const strategy = name as FileStrategy
  const content = { JSON: '{"a": 1}', YAML: 'a: 1', TOML: 'a = 1', XML: '<a b="1"/>' }[name]!
  const file = { path: 'f', strategy, content }
  expect(() => renderFile(file, new Map(), deep)).toThrow('is nested more than 100 levels deep')
  expect(() => renderFile(file, new Map(), bad)).toThrow(`f, line ${line}: is not ${name}`)
  expect(() => renderFile(file, new Map(), 'x'.repeat(8 * 1024 * 1024 + 1))).toThrow('f: is larger than 8 MiB')
})

describe('faults of content', () => {
  const faults = (strategy: FileStrategy, content: string) => fileFaults({ path: 'f', strategy, content }, new Set(['port']))
  test.each(fileStrategies)('%s: none in a good one', (strategy) => {
    const good = {
      REPLACE: '{{port}}',
      PROPERTIES: 'a={{port}}',
      INI: '[{{port}}]\na={{port}}',
      JSON: '{"*": ["{{port}}"]}',
      YAML: 'a: "{{port}}"',
      TOML: 'a = "{{port}}"',
      XML: '<a b="{{port}}"><c>{{port}}</c></a>',
      LINES: '{"a": "a{{port}}"}',
    }
    expect(faults(strategy, good[strategy])).toEqual([])
  })
  test.each([
    ['REPLACE', '{{x}} {{', ['the content has {{ without its }}']],
    [
      'PROPERTIES',
      'a={{x}}\n{{y}}=1',
      ['a has {{x}}, which is not known here (known: port)', 'the key {{y}} has {{y}}, which is not known here (known: port)'],
    ],
    ['PROPERTIES', 'a=1\na=2', ['line 2: the key a is there twice']],
    ['INI', 'a={{x}}\n', ['a has {{x}}, which is not known here (known: port)']],
    ['INI', 'a=1\nwhat', ['line 2: is no section, no key=value and no comment']],
    ['INI', 'a\u0001=1', ['a value with line breaks or control characters can’t be written here']],
    ['JSON', '{"a": [{"b": "{{x}}"}]}', ['a.0.b has {{x}}, which is not known here (known: port)']],
    ['JSON', '{"a": {{port}}}', ['line 1: is not JSON: PropertyNameExpected']],
    ['JSON', '{"a": 1, "a": 2}', ['the key a is there twice']],
    ['YAML', 'a: {{port}}', ['line 1: a key is no text; where {{…}} begins a value or key, put it in quotes']],
    ['YAML', 'a: &x 1\nb: *x', ['line 2: aliases are not known in content']],
    ['YAML', 'a: 1\n---\nb: 1', ['line 2: more than one document is in it']],
    ['TOML', 'a = {{port}}', ['line 1: is not TOML: Unexpected token']],
    ['XML', '<a>x<b/></a>', ['line 1: <a> holds text and elements; only one of them can be set']],
    ['XML', '<a><b c="{{x}}"/></a>', ['a/b c has {{x}}, which is not known here (known: port)']],
    ['LINES', '{"a": "b"}', ['the line for "a" doesn\'t begin so itself']],
    ['LINES', '{"": "b"}', ['the begin of a line is empty or begins with a blank']],
    ['LINES', '{"a": 1}', ['the line for "a" is no text and no {"line": "…", "append": false}']],
    ['LINES', '{"a": {"line": "a"}}', ['the line for "a" is no text and no {"line": "…", "append": false}']],
    ['LINES', '{"a": {"line": "a{{x}}", "append": true}}', ['a has {{x}}, which is not known here (known: port)']],
    ['LINES', '{"a": "a", "a": "a"}', ['the key a is there twice']],
  ] as const)('%s: %j', (strategy, content, expected) => {
    expect(faults(strategy, content)).toEqual(expected)
  })
})
