import DataLoader from 'dataloader'
import type { GraphQLSchema } from 'graphql'
import type { Access } from '../lib/domain/permissions.ts'
import type { Role } from '../lib/domain/roles.ts'
import { accessOf, type Identity, roleOf } from '../lib/process/identity.ts'
import type { ServeObjects } from '../lib/process/object-routes.ts'
import type { Audit } from './audit.ts'

export const subgraphNames = ['servers', 'configs', 'sessions', 'backups', 'accounts'] as const
export type SubgraphName = (typeof subgraphNames)[number]

/** One subgraph, ready to be served over HTTP or called in memory (`serve.ts`). */
export interface Subgraph {
  name: SubgraphName
  schema: GraphQLSchema
  /** Where its mutations are told of; nowhere if left out. */
  audit?: Audit
  /** What it serves besides GraphQL, by signed paths. Undefined for a path that is none of its, or is not good any more. */
  download?(signedPath: string): Promise<Download | undefined>
  /** The same for objects of a store that has no door of its own: in both directions, whole or in part. */
  objects?: ServeObjects
}

export interface Download {
  contentType: string
  fileName: string
  body: AsyncIterable<Uint8Array>
}

/**
 * What every resolver gets. One per operation; for a subscription that means as long as it lasts, so keep nothing in it
 * that grows old.
 */
export interface Context {
  /** Verified: the gateway signed it, this subgraph checked it. */
  readonly identity: Identity
  /** Who is asking, as rows, commands and audit keep it. */
  readonly actor: string
  /** Undefined for a stranger. */
  readonly role: Role | undefined
  /** What they may do; `lib/db/access.ts` asks of single objects with it. */
  readonly access: Access
  /** Where mutations are told of. */
  readonly audit: Audit | undefined
}

/** Who does something, and what they may: what rules need of a request's context. */
export type Asker = Pick<Context, 'actor' | 'access'>

export const makeContext = (identity: Identity, audit?: Audit): Context => ({
  identity,
  actor: identity.sub,
  role: roleOf(identity),
  access: accessOf(identity),
  audit,
})

/**
 * Loads by key, gathering everything that one operation asks for in one tick into one call of `batch`:
 *
 *     const serverById = makeLoader((ids: readonly string[]) => store.serversById(ids))
 *     resolveReference: ({ id }, context) => serverById(context, id)
 *
 * `batch` gets each key once and answers a Map; a key it leaves out loads as null. Nothing is remembered between ticks,
 * because a subscription's context outlives the rows it has shown.
 */
export const makeLoader = <Key extends string, Value>(
  batch: (keys: readonly Key[], context: Context) => Promise<ReadonlyMap<Key, Value>>,
): ((context: Context, key: Key) => Promise<Value | null>) => {
  const loaders = new WeakMap<Context, DataLoader<Key, Value | null>>()

  const loaderOf = (context: Context): DataLoader<Key, Value | null> => {
    const known = loaders.get(context)
    if (known) return known
    const loader = new DataLoader<Key, Value | null>(
      async (keys) => {
        const found = await batch([...new Set(keys)], context)
        return keys.map((key) => found.get(key) ?? null)
      },
      { cache: false, maxBatchSize: 1_000 },
    )
    loaders.set(context, loader)
    return loader
  }
  return (context, key) => loaderOf(context).load(key)
}
