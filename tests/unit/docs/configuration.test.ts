import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startControlPlane } from '../../../cli/control-plane.ts'
import { openHome } from '../../../cli/home.ts'
import { choosePostgres } from '../../../cli/services/choose.ts'
import { readGatewayConfig } from '../../../gateway/config.ts'
import { readHostConfig } from '../../../host/config.ts'
import { readConfig as readProcessorConfig } from '../../../processor/config.ts'
import { readSubgraphConfig } from '../../../subgraphs/config.ts'

const root = resolve(import.meta.dirname, '../../..')

/** Which variables `read` looks at; that it then misses some is of no interest here. */
const variablesOf = async (read: (env: NodeJS.ProcessEnv) => unknown, given: NodeJS.ProcessEnv = {}): Promise<Set<string>> => {
  const seen = new Set<string>()
  const env = new Proxy(given, {
    get: (target, name) => {
      seen.add(String(name))
      return target[String(name)]
    },
  })
  await Promise.resolve()
    .then(() => read(env))
    .catch(() => undefined)
  return seen
}

const migrateVariables = async (): Promise<Set<string>> => {
  const home = mkdtempSync(join(tmpdir(), 'manman-home-'))
  const seen = await variablesOf((env) => choosePostgres(openHome(env), env), { MANMAN_HOME: home })
  rmSync(home, { recursive: true })
  return seen
}

/** Every program's, not ours to describe. */
const foreign = new Set(['PATH', 'TERM'])

const namedIn = (isOne: (path: string) => boolean): string[] => {
  const files = readdirSync(join(root, 'cli'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|mjs)$/.test(path))
    .filter(isOne)
  const text = files.map((path) => readFileSync(join(root, 'cli', path), 'utf8')).join('\n')
  return [...text.matchAll(/\benv\.([A-Z][A-Z0-9_]+)/g)].map((match) => match[1]!).filter((name) => !foreign.has(name))
}

const isOfEggs = (path: string): boolean => /^eggs?[./]/.test(path)

/** What `up` looks at here and there, besides what it hands on to those it starts. */
const upVariables = async (): Promise<Set<string>> => {
  const named = namedIn((path) => !isOfEggs(path))
  const handedOn = [await variablesOf((env) => startControlPlane({ env })), await variablesOf(readHostConfig)]
  return new Set([...named, ...handedOn.flatMap((names) => [...names])])
}

/** Variable → programs, as docs/configuration.md has it. */
const documented = (): Map<string, string[]> => {
  const rows = readFileSync(join(root, 'docs/configuration.md'), 'utf8').matchAll(
    /^\| `([A-Z0-9_]+)` \|[^|]*\| ([^|]*) \|[^|]*\|$/gm,
  )
  return new Map([...rows].map(([, name, programs]) => [name!, programs!.split(', ')]))
}

describe('docs/configuration.md', () => {
  it.each<[string, () => Promise<Set<string>>]>([
    ['gateway', () => variablesOf(readGatewayConfig)],
    ['subgraph', () => variablesOf(readSubgraphConfig)],
    ['processor', () => variablesOf(readProcessorConfig)],
    ['host', () => variablesOf(readHostConfig)],
    ['migrate', migrateVariables],
    ['up', upVariables],
    // Its home it finds as all do.
    ['egg', async () => new Set(['MANMAN_HOME', ...namedIn(isOfEggs)])],
  ])('names exactly what %s reads', async (program, read) => {
    const described = [...documented()].filter(([, programs]) => programs.includes(program)).map(([name]) => name)
    expect(described.sort()).toEqual([...(await read())].sort())
  })

  it('gives each variable one row', () => {
    const rows = readFileSync(join(root, 'docs/configuration.md'), 'utf8').match(/^\| `/gm)
    expect(rows).toHaveLength(documented().size)
  })
})
