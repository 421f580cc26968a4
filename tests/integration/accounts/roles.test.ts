import type { GraphQLObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Permission, permissions } from '../../../lib/domain/permissions.ts'
import { makeAccounts } from '../../support/accounts.ts'
import { eventually } from '../../support/eventually.ts'
import { type Examples, type Field, type Question, questionFor } from '../../support/field-question.ts'
import { type GrantedOn, insertUser, setGrants } from '../../support/members.ts'
import { insertExamples } from '../../support/role-examples.ts'
import { lookupsOf, type NeededGrant, publicSchema, type Row, roleTable, type WhoName, whos } from '../../support/role-table.ts'
import { openRawSocket } from '../../support/subgraphs/raw-socket.ts'
import { graphAdminToken as admin, type Graph, type GraphMode, openGraph } from '../../support/whole-graph.ts'

const schema = publicSchema()
const table = roleTable()
const roots = ['Query', 'Mutation', 'Subscription']
const fieldsOf = (type: string): Field[] => Object.values((schema.getType(type) as GraphQLObjectType).getFields())
const rowOf = (name: string): Row => {
  const row = table.get(name)
  if (!row) throw new Error(`docs/roles.md has no row for ${name}`)
  return row
}
/** That of the field, or of all fields of its type. */
const rowNameOf = (type: string, field: string): string => (table.has(`${type}.${field}`) ? `${type}.${field}` : `${type}.*`)

interface Result {
  errors?: readonly { message?: string; extensions?: { code?: string } }[] | undefined
  data?: Record<string, unknown> | null | undefined
}

const codesOf = ({ errors = [] }: Result): (string | undefined)[] => errors.map(({ extensions }) => extensions?.code)
const isRefused = (result: Result): boolean => codesOf(result).some((code) => code === 'FORBIDDEN' || code === 'UNAUTHENTICATED')

type Outcome = 'may' | 'refused' | 'not told'

/** What came of asking for a field that shows an example, and nothing else of its kind. */
const outcomeOf = (result: Result, field: string, examples: Examples): Outcome => {
  const value = result.data?.[field] as { __typename?: string; nodes?: { id: string }[] } | null | undefined
  if (isRefused(result) || value?.__typename === 'ForbiddenError') return 'refused'
  if (codesOf(result).includes('NOT_FOUND') || value?.__typename === 'NotFoundError') return 'not told'
  if (codesOf(result).length > 0) return 'may'
  const strangers = value?.nodes?.filter(({ id }) => !Object.values(examples).includes(id)) ?? []
  if (strangers.length > 0) throw new Error(`${field} shows what is none of theirs: ${JSON.stringify(strangers)}`)
  return value === null || value?.nodes?.length === 0 ? 'not told' : 'may'
}

/** Where a filler is not enough: what the field must be given for its rule to be asked at all. */
const given: Record<string, (examples: Examples) => Record<string, unknown>> = {
  createSchedule: ({ ServerGameConfig }) => ({ input: { serverGameConfigId: ServerGameConfig } }),
  previewDeployment: ({ Server, GameConfig }) => ({ input: { serverId: Server, gameConfigId: GameConfig } }),
}

/** Subscriptions that tell nothing until something happens: who may is seen elsewhere. */
const quiet = new Set(['Subscription.sessionStats', 'Subscription.sessionLogs'])

describe.each<GraphMode>(['in process', 'remote'])('what each may do, subgraphs %s', (mode) => {
  let graph: Graph
  beforeAll(async () => {
    graph = await openGraph({ mode })
  })
  afterAll(() => graph.close())

  const overHttp = async (token: string | null, query: string, variables: Record<string, unknown>): Promise<Result> => {
    const result = await graph.clientOf(token).request(query, variables)
    // A request that can't run tells nothing of who may make it.
    const cantRun = result.errors.filter(
      ({ message, extensions }) => extensions.code === 'INVALID_INPUT' && /Cannot query|Unknown|Variable/.test(message),
    )
    if (cantRun.length > 0) throw new Error(JSON.stringify(cantRun))
    return result as Result
  }
  const overWebSocket = async (token: string | null, query: string, variables: Record<string, unknown>): Promise<Result> => {
    const socket = await openRawSocket(graph.url)
    socket.init(token ? { token } : undefined)
    const isIn = () => socket.closed() !== undefined || socket.received[0]?.type === 'connection_ack'
    await eventually(isIn, { what: 'the socket is open', everyMs: 5 })
    socket.send({ type: 'subscribe', id: '1', payload: { query, variables } })
    const isOver = () => socket.closed() !== undefined || socket.answersTo('1').length > 0
    await eventually(isOver, { what: `${query} is answered`, everyMs: 5 })
    const [answer] = socket.answersTo('1')
    socket.close()
    // Grants have just changed: whoever they are of is asked to come again.
    if (!answer && socket.closed()?.code === 4403) return overWebSocket(token, query, variables)
    const payload = answer?.payload as Result | Result['errors']
    return Array.isArray(payload) ? { errors: payload } : ((payload ?? {}) as Result)
  }
  const ask = (root: string, token: string | null, { text, head, variables }: Question): Promise<Result> => {
    const query = `${root.toLowerCase()} ${head && `(${head})`} { ${text} }`
    return (root === 'Subscription' ? overWebSocket : overHttp)(token, query, variables)
  }
  const askBehind = (lookup: string, example: string | undefined, token: string | null, questions: readonly Question[]) => {
    const head = ['$example: ID!', ...questions.flatMap((question) => question.head || [])].join(', ')
    const fields = questions.map(({ text }) => text).join(' ')
    const variables = Object.assign({ example }, ...questions.map((question) => question.variables))
    return overHttp(token, `query (${head}) { ${lookup}(id: $example) { ${fields} } }`, variables)
  }

  describe('by its role', () => {
    let tokens: Record<WhoName, string | null>
    let examples: Examples
    beforeAll(async () => {
      const accounts = makeAccounts(graph)
      const tokenOf = async (role: WhoName): Promise<string> => (await accounts.createToken(admin, { role })).secret
      const [MEMBER, VIEWER, OPERATOR, ADMIN] = await Promise.all([
        tokenOf('MEMBER'),
        tokenOf('VIEWER'),
        tokenOf('OPERATOR'),
        tokenOf('ADMIN'),
      ])
      tokens = { nobody: null, MEMBER, VIEWER, OPERATOR, ADMIN }
      examples = { ...(await insertExamples(graph.db)), User: (await insertUser(graph.db)).id }
    })
    const observe = async (run: (token: string | null) => Promise<Result>): Promise<Row['byRole']> => {
      const seen = whos.map(async (who) => [who, !isRefused(await run(tokens[who]))])
      return Object.fromEntries(await Promise.all(seen)) as Row['byRole']
    }
    /** A MEMBER is not refused where a grant could help: they are not told whether there is such a thing. */
    const expected = (name: string): Row['byRole'] => {
      const { byRole, byGrant } = rowOf(name)
      return { ...byRole, MEMBER: byRole.MEMBER || byGrant !== null }
    }

    it.each(roots)('is what docs/roles.md says of each field of %s', async (root) => {
      const seen: [string, Row['byRole']][] = []
      for (const field of fieldsOf(root)) {
        const question = questionFor(field)
        seen.push([`${root}.${field.name}`, await observe((token) => ask(root, token, question))])
      }
      expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(seen.map(([name]) => [name, expected(name)])))
    })

    it.each([...lookupsOf(schema)])('is what docs/roles.md says of each field behind %s', async (lookup, type) => {
      const example = examples[type.name]
      if (!example) throw new Error(`there is no example of a ${type.name} in this test: its fields can not be tried`)
      const { data } = await graph.admin.request(`query ($id: ID!) { ${lookup}(id: $id) { id } }`, { id: example })
      expect(data).toEqual({ [lookup]: { id: example } })
      for (const field of Object.values(type.getFields())) {
        const name = rowNameOf(type.name, field.name)
        const row = await observe((token) => askBehind(lookup, example, token, [questionFor(field)]))
        expect([name, row]).toEqual([name, expected(name)])
      }
    })
  })

  describe('by a grant', () => {
    type Kind = 'server' | 'game' | 'deployment'
    interface Member {
      id: string
      token: string
      /** What they hold, and on what; nothing at all, or everything on all of it. */
      holds: { permission: Permission; kind: Kind } | 'nothing' | 'everything'
    }
    const kinds: readonly Kind[] = ['server', 'game', 'deployment']
    let members: Member[]
    beforeAll(async () => {
      const single = kinds.flatMap((kind) => permissions.map((permission) => ({ permission, kind })))
      const all: Member['holds'][] = [...single, 'nothing', 'everything']
      members = await Promise.all(all.map(async (holds) => ({ ...(await insertUser(graph.db)), holds })))
    })
    const idOn = ({ Server, Game, ServerGameConfig }: Examples, kind: Kind): GrantedOn => {
      if (kind === 'server') return { server_id: Server! }
      return kind === 'game' ? { game_id: Game! } : { deployment_id: ServerGameConfig! }
    }
    /** Examples of their own, with what each member holds on them, and on nothing else. */
    const makeWorld = async (): Promise<Examples> => {
      const examples = await insertExamples(graph.db)
      const heldBy = ({ holds }: Member) => {
        if (holds === 'nothing') return []
        if (holds !== 'everything') return [{ on: idOn(examples, holds.kind), permissions: [holds.permission] }]
        return kinds.map((kind) => ({ on: idOn(examples, kind), permissions }))
      }
      await Promise.all(members.map((member) => setGrants(graph.db, member.id, heldBy(member))))
      return { ...examples, User: members[0]!.id }
    }
    const expected = ({ permission, on }: NeededGrant, { holds }: Member): Outcome => {
      if (holds === 'nothing') return 'not told'
      if (holds === 'everything' || permission === 'VIEW') return 'may'
      return holds.permission === permission && (on === undefined || on === holds.kind) ? 'may' : 'refused'
    }
    /** Those who may come last: what they do can change the examples, and what they remove is put there again. */
    const compare = async (
      name: string,
      { byGrant, byRole }: Row,
      run: (member: Member, examples: Examples) => Promise<Outcome>,
    ): Promise<void> => {
      if (byRole.MEMBER) return
      let examples = await makeWorld()
      // Where no grant helps, whoever holds everything stands for all who hold something.
      const asked = members.filter(({ holds }) => byGrant !== null || typeof holds === 'string')
      const wanted = asked.map((member) => ({ member, outcome: byGrant ? expected(byGrant, member) : ('refused' as const) }))
      const tell = (one: (typeof wanted)[number], outcome: Outcome) => [name, one.member.holds, outcome]
      const others = wanted.filter(({ outcome }) => outcome !== 'may')
      const seen = await Promise.all(others.map(async (one) => tell(one, await run(one.member, examples))))
      expect(seen).toEqual(others.map((one) => tell(one, one.outcome)))
      if (quiet.has(name)) return
      for (const one of wanted.filter(({ outcome }) => outcome === 'may')) {
        expect(tell(one, await run(one.member, examples))).toEqual(tell(one, 'may'))
        if (name.startsWith('Mutation.delete')) examples = await makeWorld()
      }
    }

    it.each(roots)('is what docs/roles.md says of each field of %s', async (root) => {
      for (const field of fieldsOf(root)) {
        const name = `${root}.${field.name}`
        await compare(name, rowOf(name), async ({ token }, examples) => {
          const question = questionFor(field, examples)
          const variables = { ...question.variables, ...given[field.name]?.(examples) }
          return outcomeOf(await ask(root, token, { ...question, variables }), field.name, examples)
        })
      }
    })

    it.each([...lookupsOf(schema)])('is what docs/roles.md says of each field behind %s', async (lookup, type) => {
      const all = Object.values(type.getFields())
      for (const name of new Set(all.map((field) => rowNameOf(type.name, field.name)))) {
        const fields = all.filter((field) => rowNameOf(type.name, field.name) === name)
        await compare(name, rowOf(name), async ({ token }, examples) => {
          const questions = fields.map((field) => questionFor(field, examples))
          return outcomeOf(await askBehind(lookup, examples[type.name], token, questions), lookup, examples)
        })
      }
    })
  })
})
