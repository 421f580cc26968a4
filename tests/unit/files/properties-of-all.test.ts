import fc from 'fast-check'
import { parse as parseJson } from 'jsonc-parser'
import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser'
import { expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import type { FileStrategy } from '../../../lib/domain/game-config.ts'
import { readXml } from '../../../lib/files/xml-read.ts'
import { anyValue, render } from './values.ts'

/** Lines of `[section]` and `key=value`, as a game reads them that trims nothing. */
const readIni = (text: string) => {
  let section = ''
  const values: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    const equals = line.indexOf('=')
    if (line.startsWith('[')) section = `${line.slice(1, -1)}.`
    else if (equals > 0 && !line.startsWith(';')) values[section + line.slice(0, equals)] = line.slice(equals + 1)
  }
  return values
}
/** As far as the files here need it, by the rules of java.util.Properties. */
const readProperties = (text: string) =>
  Object.fromEntries(
    text
      .replace(/(?<!\\)((?:\\\\)*)\\(\r?\n[ \t\f]*|$)/g, '$1')
      .split(/\r?\n/)
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [, key = '', value = ''] = /^([a-z]+)[ \t]*[=:]?[ \t]*(.*)$/.exec(line) ?? []
        return [
          key,
          value.replace(/\\(?:u(....)|(.))/g, (_, code, char) => (code ? String.fromCharCode(Number.parseInt(code, 16)) : char)),
        ]
      }),
  )
const readXmlMotd = (text: string) => {
  const named = readXml(text).children.find(({ attributes }) => attributes.get('name')?.value === 'motd')
  return { motd: named?.attributes.get('value')?.value, other: readXml(text).children[0]?.attributes.get('value')?.value }
}
const readTextXml = (text: string) => ({ motd: readXml(text).children.find(({ tag }) => tag === 'motd')?.text })

interface Case {
  strategy: FileStrategy
  content: string
  files: string[]
  read: (text: string) => unknown
  wanted: (value: string) => object
}

const cases: Record<string, Case> = {
  JSON: {
    strategy: 'JSON',
    content: '{"motd": "{{v}}"}',
    files: ['{"motd": "old", "other": [1, 2]}', '{\r\n\t// c\r\n\t"other": 1 // last\r\n}', '{}', '{"motd": {"deep": 1},}'],
    read: (text) => parseJson(text),
    wanted: (motd) => ({ motd }),
  },
  YAML: {
    strategy: 'YAML',
    content: "motd: '{{v}}'",
    files: [
      'motd: old # c\nother: [1, 2]\n',
      'a: 1\r\nmotd:\r\n  - x\r\n  # c\r\n  - y\r\nb: |\r\n  t\r\n\r\n',
      '{a: 1}',
      'motd:\nz: 1',
      '# only\n',
      'motd: |-\n  a\n  b\nz: 5',
      'm: |+\n  a\n\n\n',
    ],
    read: (text) => parseYaml(text),
    wanted: (motd) => ({ motd }),
  },
  TOML: {
    strategy: 'TOML',
    content: 'motd = "{{v}}"',
    files: [
      'motd = "old" # c\n[other]\na = 1\n',
      '[a]\r\nb = 1',
      '# top\n\n# of a\n[a]\n',
      'x = 1',
      'motd = """\na\n"""\n[[l]]\na=1\n',
    ],
    read: (text) => getStaticTOMLValue(parseTOML(text)),
    wanted: (motd) => ({ motd }),
  },
  XML: {
    strategy: 'XML',
    content: '<s><p name="motd" value="{{v}}"/></s>',
    files: [
      "<?xml version='1.0'?>\n<s>\n  <p name='other' value='1'/>\n  <p name='motd' value='old' /><!-- c -->\n</s>\n",
      '<s><p value="2"/></s>',
    ],
    read: readXmlMotd,
    wanted: (motd) => ({ motd }),
  },
  'text in XML': {
    strategy: 'XML',
    content: '<s><motd>x{{v}}</motd></s>',
    files: ['<s>\n\t<motd><![CDATA[a]]> b</motd>\n</s>', '<s/>'],
    read: readTextXml,
    wanted: (value) => ({ motd: `x${value}` }),
  },
  PROPERTIES: {
    strategy: 'PROPERTIES',
    content: 'motd={{v}}',
    files: ['motd=old\nother=1\n', '# c\r\nother 1\r\nmotd \\\r\n  x', 'motd', 'other=a\\'],
    read: readProperties,
    wanted: (motd) => ({ motd }),
  },
  INI: {
    strategy: 'INI',
    content: 'motd={{v}}',
    files: ['motd=old\n[s]\nmotd=b\n', '; c\n[s]\na=1\n'],
    read: readIni,
    wanted: (motd) => ({ motd }),
  },
}

test.each(Object.entries(cases))(
  '%s: any value is there exactly, and all else as before',
  (_, { strategy, content, files, read, wanted }) => {
    fc.assert(
      fc.property(fc.constantFrom(...files), anyValue, (current, value) => {
        const before = (read(current) ?? {}) as object
        expect(read(render(strategy, content, current, { v: value }))).toEqual({ ...before, ...wanted(value) })
      }),
      { numRuns: 200 },
    )
  },
)

test.each(Object.entries(cases))('%s: any value stands in a new file', (_, { strategy, content, read, wanted }) => {
  fc.assert(
    fc.property(anyValue, (value) => {
      expect(read(render(strategy, content, null, { v: value }))).toMatchObject(wanted(value))
    }),
    { numRuns: 200 },
  )
})
