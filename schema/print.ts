import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GraphQLSchema } from 'graphql'
import { z } from 'zod'
import { eventSchemas } from '../lib/messages/events.ts'
import { gameConfigFile } from '../lib/presets/schema.ts'
import { makeAccountsSchema } from '../subgraphs/accounts/schema.ts'
import { makeBackupsSchema } from '../subgraphs/backups/schema.ts'
import { makeConfigsSchema } from '../subgraphs/configs/schema.ts'
import { makeServersSchema } from '../subgraphs/servers/schema.ts'
import { makeSessionsSchema } from '../subgraphs/sessions/schema.ts'
import { composeGraph } from './compose.ts'
import { findUnsafeReferences } from './references.ts'

// Prints the public contract from the code that serves it: each subgraph, the supergraph, the schema clients see, events,
// and the files of presets.
// With `--check` it writes nothing, and fails when what is committed differs.

const folder = dirname(fileURLToPath(import.meta.url))

const ports: Record<string, number> = { servers: 4101, configs: 4102, sessions: 4103, backups: 4104, accounts: 4105 }

/** Stands for whatever a schema is made with. Building a schema may hold it; only answering a request calls it. */
const unbound = <Deps>(path: string): Deps =>
  new Proxy(() => undefined, {
    get: (_, key) => (typeof key === 'symbol' ? undefined : unbound(`${path}.${key}`)),
    apply: () => {
      throw new Error(`${path} was called while the schema was built`)
    },
  }) as Deps

const makeSchemas = (): Record<string, GraphQLSchema> => ({
  servers: makeServersSchema(unbound('servers')),
  configs: makeConfigsSchema(unbound('configs')),
  sessions: makeSessionsSchema(unbound('sessions')),
  backups: makeBackupsSchema(unbound('backups')),
  accounts: makeAccountsSchema(unbound('accounts')),
})

/** JSON Schema of each public event, by its kind. Formats say what zod's patterns do. */
const printEvents = (): string => {
  const schemas = Object.entries(eventSchemas).map(([kind, schema]) => [
    kind,
    z.toJSONSchema(schema, {
      io: 'input',
      override: ({ jsonSchema }) => {
        if (jsonSchema.format) delete jsonSchema.pattern
      },
    }),
  ])
  return `${JSON.stringify(Object.fromEntries(schemas), null, 2)}\n`
}

/** JSON Schema of a preset and of an exported config, for editors. */
const printGameConfigFile = (): string => `${JSON.stringify(z.toJSONSchema(gameConfigFile, { io: 'input' }), null, 2)}\n`

/** By path, from this folder. */
const printFiles = (): Record<string, string> => {
  const schemas = makeSchemas()
  const unsafe = findUnsafeReferences(schemas)
  if (unsafe.length > 0) throw new Error(`these fields enter another subgraph, so they must be nullable: ${unsafe.join(', ')}`)
  const { subgraphs, supergraph, api } = composeGraph(schemas, (name) => `http://${name}:${ports[name]}/graphql`)
  const files = { ...subgraphs, supergraph, api }
  const graphs = Object.fromEntries(Object.entries(files).map(([name, text]) => [`${name}.graphql`, text]))
  return { ...graphs, 'events.json': printEvents(), '../presets/schema.json': printGameConfigFile() }
}

const read = (name: string): string => {
  try {
    return readFileSync(join(folder, name), 'utf8')
  } catch {
    return ''
  }
}

/** The first line that differs, as `diff` would show it. */
const describeDrift = (name: string, committed: string, printed: string): string => {
  const [before, after] = [committed.split('\n'), printed.split('\n')]
  const line = after.findIndex((text, index) => text !== before[index])
  const at = line === -1 ? after.length : line
  return `schema/${name}:${at + 1}\n  - ${before[at] ?? '(nothing)'}\n  + ${after[at] ?? '(nothing)'}`
}

const main = (checking: boolean): void => {
  const drifted = Object.entries(printFiles()).filter(([name, text]) => read(name) !== text)
  if (!checking) {
    for (const [name, text] of drifted) writeFileSync(join(folder, name), text)
    console.log(
      drifted.length === 0 ? 'schema: nothing has changed' : `schema: wrote ${drifted.map(([name]) => name).join(', ')}`,
    )
    return
  }
  if (drifted.length === 0) return
  console.error('What the code serves is not what is committed. Run `npm run schema`, look at the diff, and commit it.')
  for (const [name, text] of drifted) console.error(describeDrift(name, read(name), text))
  process.exitCode = 1
}

main(process.argv.includes('--check'))
