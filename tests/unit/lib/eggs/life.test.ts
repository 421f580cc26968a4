import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { readInstall } from '../../../../lib/eggs/install.ts'
import { readReadyPattern, readStop } from '../../../../lib/eggs/life.ts'
import { startupTemplate } from '../../../../lib/eggs/placeholders.ts'
import { isPortVariable, makePorts } from '../../../../lib/eggs/ports.ts'
import { rulesOf } from '../../../../lib/eggs/rules.ts'

const ignore = (): void => undefined

describe('the sign of being ready', () => {
  const isReady = (done: unknown, line: string): boolean =>
    RE2JS.compile(readReadyPattern({ done }, ignore)!).matcher(line).find()
  it('is found as literal text within a line', () => {
    expect(isReady('Done (', '[12:00] Done (3.2s)!')).toBe(true)
    expect(isReady('a.c', 'abc')).toBe(false)
    expect(isReady('\u001b[32mup', 'x \u001b[32mup')).toBe(true)
  })
  it('may be a pattern, or any of several', () => {
    expect(isReady('regex:up in \\d+', 'up in 5')).toBe(true)
    expect(['it is up', 'now ready', 'down'].map((line) => isReady(['up', 'regex:^now'], line))).toEqual([true, true, false])
  })
  it.each([undefined, null, '', {}, { done: '' }, '{}', []])('may be missing: %j', (given) =>
    expect(readReadyPattern(given, ignore)).toBeNull(),
  )
})

describe('a stop', () => {
  it.each([
    ['^C', 'SIGNAL', 'SIGINT'],
    ['^c', 'SIGNAL', 'SIGINT'],
    ['^^C', 'SIGNAL', 'SIGKILL'],
    ['^SIGKILL', 'SIGNAL', 'SIGKILL'],
    ['^SIGTERM', 'SIGNAL', 'SIGTERM'],
    ['^SIGABRT', 'SIGNAL', 'SIGABRT'],
    ['/stop now', 'STDIN', '/stop now'],
  ])('%s', (given, kind, value) => expect(readStop(given, ignore)).toEqual({ kind, value }))
  it.each([undefined, null, '', ' '])('%j is the default', (given) => expect(readStop(given, ignore)).toBeNull())
})

describe('a command line', () => {
  const names = new Map([
    ['A', '{{A}}'],
    ['QUERY_PORT', '{{port.query-port}}'],
  ])
  it.each([
    ['x {{A}} ${B} $C', 'x ${A} ${B} $C', 0],
    ['{{server.build.default.port}}:{{server.build.memory}}', '{{port.game}}:{{memoryMb}}', 0],
    ['{{env.A}}{{server.build.env.QUERY_PORT}}', '${A}${QUERY_PORT}', 0],
    ['{{B}}', '${B}', 1],
    ['"{{A}]" {{{', '"${A}]" $${', 0],
    ['f() { echo {}; }', 'f() { echo {}; }', 0],
  ])('%s becomes %s', (given, template, unknown) => {
    const made = startupTemplate(given, names)
    expect([made.template, made.unknown.length]).toEqual([template, unknown])
  })
})

describe('a variable', () => {
  it.each([
    ['QUERY_PORT', 'required|integer', '27015', true],
    ['SRCDS_CPORT', 'required|string|max:20', '27005', true],
    ['QUERY_PORT', 'required|integer', '', false],
    ['QUERY_PORT', 'required|integer', '70000', false],
    ['HTTP_PORT_OPEN', 'boolean', '1', false],
    ['DATABASE_PORT', 'integer', '3306', false],
    ['STARTING_PORT', 'integer', '27001', false],
    ['CRASH_REPORT', 'integer', '1', false],
    ['SLOTS', 'integer', '27015', false],
  ])('%s (%s, %j) is a port: %s', (name, rules, value, expected) => {
    expect(isPortVariable(name, rulesOf(rules, 'v'), value)).toBe(expected)
  })
})

it('ports have names and numbers of their own, and an end', () => {
  const made = makePorts({ containerPort: 27_015, sameInside: true })
  expect([made.add('QUERY_PORT', 27_015), made.add('query_port', 65_535), made.add('_PORT', 65_535)]).toEqual([
    'query-port',
    'query-port-2',
    'port-port',
  ])
  expect(made.ports.map(({ containerPort }) => containerPort)).toEqual([27_015, 27_015, 27_016, 27_016, 65_535, 65_535, 1, 1])
  for (let count = 0; count < 28; count++) expect(made.add('MORE_PORT', 1_000)).toBeDefined()
  expect(made.add('MORE_PORT', 1_000)).toBeUndefined()
  expect(made.ports).toHaveLength(64)
})

describe('a script', () => {
  const install = (given: object) => {
    const left: string[] = []
    return {
      made: readInstall({ installation: { script: 'x', container: 'a/b', entrypoint: 'ash', ...given } }, (path) =>
        left.push(path),
      ),
      left,
    }
  }
  it('is left out and told when it can not run', () => {
    const at = (field: string): string[] => [`scripts.installation.${field}`]
    expect(install({ container: 'A B' })).toEqual({ made: null, left: at('container') })
    expect(install({ entrypoint: 'node' })).toEqual({ made: null, left: at('entrypoint') })
    expect(install({ script: 'é'.repeat(65_536) })).toEqual({ made: null, left: at('script') })
    expect(install({ entrypoint: '\u0007/bash' })).toEqual({ made: null, left: at('entrypoint') })
    expect(install({ script: '\ud800' })).toEqual({ made: null, left: at('script') })
    expect(install({ script: '\0' })).toEqual({ made: null, left: at('script') })
  })
  it.each([{ script: '' }, { script: ' \r\n' }, { script: null }])('may be missing: %j', (given) => {
    expect(install(given)).toEqual({ made: null, left: [] })
  })
  it('runs in its own shell', () =>
    expect(install({}).made).toMatchObject({ image: 'a/b', script: 'x', entrypoint: ['ash', '-c'] }))
})
