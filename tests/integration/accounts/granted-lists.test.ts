import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccounts } from '../../support/accounts.ts'
import { insertUser, type Member, setGrants } from '../../support/members.ts'
import { insertDeployment, insertServer } from '../../support/rows.ts'
import { graphAdminToken as admin, type Graph, openGraph } from '../../support/whole-graph.ts'

/** A deployment with all that it is of. */
interface Placed {
  deployment: string
  server: string
  config: string
  game: string
}

let graph: Graph
let accounts: ReturnType<typeof makeAccounts>
let member: Member
let world: Placed[]

beforeAll(async () => {
  graph = await openGraph({ mode: 'in process' })
  accounts = makeAccounts(graph)
  member = await insertUser(graph.db)
  world = []
  const servers = [await insertServer(graph.db), await insertServer(graph.db), await insertServer(graph.db)]
  const { db } = graph
  const insert = async (server: string): Promise<Placed> => {
    const deployment = await insertDeployment(db, server)
    const { config, game } = await db
      .selectFrom('configs.server_game_configs as d')
      .innerJoin('configs.game_configs as c', 'c.id', 'd.game_config_id')
      .select(['c.id as config', 'c.game_id as game'])
      .where('d.id', '=', deployment)
      .executeTakeFirstOrThrow()
    return { deployment, server, config, game }
  }
  // Of two games on every server, and of one on a single one.
  for (const server of servers) world.push(await insert(server))
  for (const [index, server] of servers.entries()) {
    const { config, game } = world[(index + 1) % servers.length]!
    const placed = await insert(server)
    await db
      .updateTable('configs.server_game_configs')
      .set({ game_config_id: config })
      .where('id', '=', placed.deployment)
      .execute()
    world.push({ ...placed, config, game })
  }
})
afterAll(() => graph.close())

const lists = `query ($order: ListOrder, $name: String) {
  servers(first: 200) { nodes { id deployments(first: 200) { nodes { id } } ports { port } } }
  games(first: 200, orderBy: $order, nameContains: $name) { nodes { id configs { nodes { id } } } }
  gameConfigs(first: 200, orderBy: $order) { nodes { id game { id } deployments { nodes { id } } } }
  serverGameConfigs(first: 200, orderBy: $order, nameContains: $name) { nodes { id server { id } gameConfig { id game { id } } } }
}`
const pages = `query ($order: ListOrder, $first: Int, $after: String) {
  serverGameConfigs(first: $first, after: $after, orderBy: $order) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }`

interface DeploymentPage {
  edges: { cursor: string; node: { id: string } }[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

interface Held {
  kind: 'server' | 'game' | 'deployment'
  index: number
}
const held = fc.uniqueArray(
  fc.record({ kind: fc.constantFrom('server' as const, 'game' as const, 'deployment' as const), index: fc.nat({ max: 5 }) }),
  { selector: ({ kind, index }) => world[index]![kind], maxLength: 4 },
)
const orders = fc.constantFrom('OLDEST_FIRST', 'NEWEST_FIRST', 'NAME')
const grantAll = (all: readonly Held[]) =>
  setGrants(
    graph.db,
    member.id,
    all.map(({ kind, index }) => {
      const id = world[index]![kind]
      const on = kind === 'server' ? { server_id: id } : kind === 'game' ? { game_id: id } : { deployment_id: id }
      return { on, permissions: [] }
    }),
  )

/** What is seen, as docs/accounts.md says it, of what everybody who sees everything sees. */
const model = (all: readonly Held[]) => {
  const granted = (kind: Held['kind']) => new Set(all.filter((one) => one.kind === kind).map(({ index }) => world[index]![kind]))
  const [servers, games, deployments] = [granted('server'), granted('game'), granted('deployment')]
  const seen = world.filter((one) => servers.has(one.server) || games.has(one.game) || deployments.has(one.deployment))
  const ofSeen = (key: keyof Placed) => seen.map((one) => one[key])
  return new Set([
    ...ofSeen('deployment'),
    ...[...servers, ...ofSeen('server')],
    ...[...games, ...ofSeen('game')],
    ...ofSeen('config'),
    ...world.filter(({ game }) => games.has(game)).map(({ config }) => config),
  ])
}

/** An answer without what is not seen, in lists at any depth. */
const without = (value: unknown, seen: ReadonlySet<string>): unknown => {
  if (Array.isArray(value))
    return value
      .filter((one) => typeof (one as { id?: unknown }).id !== 'string' || seen.has((one as { id: string }).id))
      .map((one) => without(one, seen))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, without(inner, seen)]))
}

describe('lists of who sees only what was granted', () => {
  it('are those of an ADMIN without what is not seen, in every order and below everything', async () => {
    await fc.assert(
      fc.asyncProperty(held, orders, fc.constantFrom(null, 'a', '7'), async (all, order, name) => {
        await grantAll(all)
        const whole = await accounts.run(admin, lists, { order, name })
        expect(await accounts.run(member.token, lists, { order, name })).toEqual(without(whole, model(all)))
      }),
      { numRuns: 20 },
    )
  })

  it('have pages and cursors that tell nothing of others', async () => {
    await fc.assert(
      fc.asyncProperty(held, orders, fc.integer({ min: 1, max: 3 }), async (all, order, first) => {
        await grantAll(all)
        const seen = model(all)
        const whole = await accounts.run(admin, pages, { order, first: 200 })
        const wanted = whole.serverGameConfigs.edges
          .map(({ node }: { node: { id: string } }) => node.id)
          .filter((id: string) => seen.has(id))
        const got: string[] = []
        let after: string | null = null
        for (;;) {
          const { edges, pageInfo }: DeploymentPage = (await accounts.run(member.token, pages, { order, first, after }))
            .serverGameConfigs
          got.push(...edges.map(({ node }: { node: { id: string } }) => node.id))
          expect(pageInfo.hasNextPage).toBe(got.length < wanted.length)
          if (!pageInfo.hasNextPage) break
          after = pageInfo.endCursor
        }
        expect(got).toEqual(wanted)
        if (order !== 'NAME') return
        // Where the name of a row that is not seen stands among others can't be found out by its cursor.
        for (const { cursor, node } of whole.serverGameConfigs.edges) {
          if (seen.has(node.id)) continue
          const { edges } = (await accounts.run(member.token, pages, { order, first: 200, after: cursor })).serverGameConfigs
          expect(edges).toEqual([])
        }
      }),
      { numRuns: 20 },
    )
  })
})
