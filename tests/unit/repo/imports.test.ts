import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const { forbidden, allowed, allowedSeverity, options } = createRequire(import.meta.url)('../../../.dependency-cruiser.cjs')

/** File and what it imports, the rule it breaks; the same path as in the project, in a tree of its own. */
const bad: [from: string, to: string, rule: string][] = [
  ['lib/domain/clock.ts', 'node:fs', 'not-in-allowed'],
  ['lib/domain/schema.ts', 'zod', 'not-in-allowed'],
  ['lib/eggs/disk.ts', 'node:fs', 'not-in-allowed'],
  ['lib/messages/rows.ts', 'lib/db/outbox.ts', 'not-in-allowed'],
  ['lib/rabbit/rows.ts', 'lib/db/outbox.ts', 'not-in-allowed'],
  ['lib/presets/rows.ts', 'lib/db/outbox.ts', 'not-in-allowed'],
  ['subgraphs/servers/schema.ts', 'lib/db/outbox.ts', 'not-in-allowed'],
  ['subgraphs/servers/service.ts', 'subgraphs/configs/store.ts', 'not-in-allowed'],
  ['subgraphs/sessions/start.ts', 'lib/rabbit/publisher.ts', 'not-in-allowed'],
  ['subgraphs/live/feed.ts', 'lib/db/outbox.ts', 'not-in-allowed'],
  ['processor/restarts.ts', 'subgraphs/configs/store.ts', 'not-in-allowed'],
  ['host/rows.ts', 'lib/db/outbox.ts', 'not-in-allowed'],
  ['host/docker/above.ts', 'host/plan.ts', 'not-in-allowed'],
  ['gateway/rows.ts', 'lib/db/outbox.ts', 'not-in-allowed'],
  ['gateway/shortcut.ts', 'subgraphs/configs/service.ts', 'not-in-allowed'],
  ['cli/inside.ts', 'host/plan.ts', 'not-in-allowed'],
  ['lib/db/helped.ts', 'tests/support/rows.ts', 'not-in-allowed'],
  ['processor/raw.ts', 'pg', 'pg-only-in-lib-db'],
  ['host/raw.ts', 'amqplib', 'amqplib-only-in-lib-rabbit-examples-subscriber'],
  ['host/engine.ts', 'dockerode', 'dockerode-only-in-host-docker'],
  ['gateway/log.ts', 'pino', 'pino-only-in-lib-process'],
  ['cli/run.ts', 'processor/main.ts', 'nobody-imports-a-main'],
  ['processor/lost.ts', 'processor/nowhere.ts', 'nothing-unresolvable'],
]

const good: [from: string, to: string][] = [
  ['lib/domain/rule.ts', 'lib/domain/ids.ts'],
  ['lib/db/pool.ts', 'pg'],
  ['lib/eggs/text.ts', 'zod'],
  ['subgraphs/configs/service.ts', 'lib/db/outbox.ts'],
  ['processor/schedules.ts', 'subgraphs/configs/service.ts'],
  ['host/agent.ts', 'host/docker/containers.ts'],
  ['host/docker/containers.ts', 'dockerode'],
  ['cli/up.ts', 'processor/app.ts'],
  ['tests/unit/any.ts', 'lib/db/outbox.ts'],
]

const targets = ['lib/domain/ids.ts', 'lib/db/outbox.ts', 'lib/rabbit/publisher.ts', 'subgraphs/configs/store.ts', 'host/plan.ts']
const moreTargets = ['tests/support/rows.ts', 'processor/main.ts', 'processor/app.ts']
const packages = ['zod', 'pg', 'amqplib', 'dockerode', 'pino']

let root: string
let found: { from: string; to: string; rule: string }[]

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text, { flag: 'a' })
}
const writeImport = (from: string, to: string): void => {
  const path = relative(dirname(from), to)
  const specifier = to.includes('/') ? (path.startsWith('.') ? path : `./${path}`) : to
  write(from, `import '${specifier}'\n`)
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'imports-'))
  for (const path of [...targets, ...moreTargets]) write(path, 'export const here = true\n')
  for (const name of packages) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }))
    write(`node_modules/${name}/index.js`, '')
  }
  write('package.json', JSON.stringify({ dependencies: Object.fromEntries(packages.map((name) => [name, '1.0.0'])) }))
  for (const [from, to] of [...bad, ...good]) writeImport(from, to)
  writeImport('processor/one.ts', 'processor/two.ts')
  writeImport('processor/two.ts', 'processor/one.ts')
  const { tsConfig: _, ...rest } = options
  const { output } = await cruise(['.'], {
    ...rest,
    baseDir: root,
    validate: true,
    ruleSet: { forbidden, allowed, allowedSeverity },
  })
  found = (output as ICruiseResult).summary.violations.map(({ from, to, rule }) => ({ from, to, rule: rule.name }))
}, 30_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))

const rulesBrokenBy = (from: string): string[] => found.filter((one) => one.from === from).map(({ rule }) => rule)

describe('the import rules', () => {
  it.each(bad)('do not let %s import %s', (from, _, rule) => {
    expect(rulesBrokenBy(from)).toContain(rule)
  })

  it.each(good)('let %s import %s', (from) => {
    expect(rulesBrokenBy(from)).toEqual([])
  })

  it('find a cycle', () => {
    expect(rulesBrokenBy('processor/one.ts')).toContain('no-cycles')
  })
})
