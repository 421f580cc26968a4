import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../../lib/process/new-id.ts'
import { makeAccounts } from '../../support/accounts.ts'
import { eventually } from '../../support/eventually.ts'
import { lookupsOf, publicSchema, type Row, roleTable, type WhoName, whos } from '../../support/role-table.ts'
import { insertServer, insertSession } from '../../support/rows.ts'
import { openRawSocket } from '../../support/subgraphs/raw-socket.ts'
import { graphAdminToken as admin, type Graph, type GraphMode, openGraph } from '../../support/whole-graph.ts'

const schema = publicSchema()
const table = roleTable()

const scalars: Record<string, unknown> = {
  ID: newId(),
  String: 'x',
  Int: 1,
  Float: 1,
  SafeInt: 1,
  Boolean: true,
  DateTime: '2030-01-01T00:00:00Z',
  JSON: {},
}

/** Some value of the type: of the fields of an input those that must be there. */
const anyOf = (type: GraphQLInputType): unknown => {
  if (isNonNullType(type)) return anyOf(type.ofType)
  if (isListType(type)) return [anyOf(type.ofType)]
  if (isEnumType(type)) return type.getValues()[0]?.name
  if (!isInputObjectType(type)) return scalars[type.name]
  const needed = Object.values(type.getFields()).filter((field) => isNonNullType(field.type))
  return Object.fromEntries(needed.map((field) => [field.name, anyOf(field.type)]))
}

type Field = GraphQLField<unknown, unknown>

/** A field with its arguments: those that must be there, and ids, so that a subscription is to something that is not there. */
const ask = ({ name, args, type }: Field): { text: string; head: string; variables: Record<string, unknown> } => {
  const given = args.filter((arg: GraphQLArgument) => isNonNullType(arg.type) || getNamedType(arg.type).name === 'ID')
  const passed = given.map((arg) => `${arg.name}: $${arg.name}`).join(', ')
  const selection = isLeafType(getNamedType(type)) ? '' : '{ __typename }'
  return {
    text: `${name}${passed && `(${passed})`} ${selection}`,
    head: given.map((arg) => `$${arg.name}: ${arg.type}`).join(', '),
    variables: Object.fromEntries(given.map((arg) => [arg.name, anyOf(arg.type)])),
  }
}

const refusals = new Set(['FORBIDDEN', 'UNAUTHENTICATED'])
const mayFrom = (errors: readonly { extensions?: { code?: string } }[] = []): boolean =>
  !errors.some(({ extensions }) => refusals.has(extensions?.code ?? ''))

describe.each<GraphMode>(['in process', 'remote'])('what each role may do, subgraphs %s', (mode) => {
  let graph: Graph
  let tokens: Record<WhoName, string | null>
  /** One of each type that is looked up. */
  let examples: Record<string, string>

  beforeAll(async () => {
    graph = await openGraph({ mode })
    const accounts = makeAccounts(graph)
    const tokenOf = async (role: WhoName): Promise<string> => (await accounts.createToken(admin, { role })).secret
    tokens = { nobody: null, VIEWER: await tokenOf('VIEWER'), OPERATOR: await tokenOf('OPERATOR'), ADMIN: await tokenOf('ADMIN') }
    examples = await makeExamples(graph, accounts)
  })
  afterAll(() => graph.close())

  const overHttp = async (who: WhoName, query: string, variables: Record<string, unknown>): Promise<boolean> => {
    const { errors } = await graph.clientOf(tokens[who]).request(query, variables)
    // A request that can't run tells nothing of who may make it.
    if (
      errors.some(
        ({ message, extensions }) => extensions.code === 'INVALID_INPUT' && /Cannot query|Unknown|Variable/.test(message),
      )
    )
      throw new Error(JSON.stringify(errors))
    return mayFrom(errors)
  }

  const overWebSocket = async (who: WhoName, query: string, variables: Record<string, unknown>): Promise<boolean> => {
    const socket = await openRawSocket(graph.url)
    socket.init(tokens[who] ? { token: tokens[who] } : undefined)
    await eventually(() => socket.received[0]?.type === 'connection_ack', { what: 'the socket is open' })
    socket.send({ type: 'subscribe', id: '1', payload: { query, variables } })
    await eventually(() => socket.answersTo('1').length > 0, { what: `${query} is answered to ${who}` })
    const payload = socket.answersTo('1')[0]?.payload as { errors?: [] } | [] | undefined
    socket.close()
    return mayFrom(Array.isArray(payload) ? payload : payload?.errors)
  }

  const observe = async (run: (who: WhoName) => Promise<boolean>): Promise<Row> =>
    Object.fromEntries(await Promise.all(whos.map(async (who) => [who, await run(who)]))) as Row

  it.each(['Query', 'Mutation', 'Subscription'])('is what docs/roles.md says of each field of %s', async (root) => {
    const seen: [string, Row][] = []
    for (const field of Object.values((schema.getType(root) as ReturnType<typeof schema.getQueryType>)!.getFields())) {
      const { text, head, variables } = ask(field)
      const query = `${root.toLowerCase()} ${head && `(${head})`} { ${text} }`
      const run = root === 'Subscription' ? overWebSocket : overHttp
      seen.push([`${root}.${field.name}`, await observe((who) => run(who, query, variables))])
    }
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(seen.map(([name]) => [name, table.get(name)])))
  })

  it.each([...lookupsOf(schema)])('is what docs/roles.md says of each field behind %s', async (lookup, type) => {
    const example = examples[type.name]
    if (!example) throw new Error(`there is no example of a ${type.name} in this test: its fields can not be tried`)
    const { data } = await graph.admin.request(`query ($id: ID!) { ${lookup}(id: $id) { id } }`, { id: example })
    expect(data).toEqual({ [lookup]: { id: example } })
    const seen: [string, Row][] = []
    for (const field of Object.values(type.getFields())) {
      const { text, head, variables } = ask(field)
      const query = `query ($example: ID!${head && `, ${head}`}) { ${lookup}(id: $example) { ${text} } }`
      const row = await observe((who) => overHttp(who, query, { ...variables, example }))
      seen.push([table.has(`${type.name}.${field.name}`) ? `${type.name}.${field.name}` : `${type.name}.*`, row])
    }
    for (const [name, row] of seen) expect([name, row]).toEqual([name, table.get(name)])
  })
})

const makeExamples = async (graph: Graph, accounts: ReturnType<typeof makeAccounts>): Promise<Record<string, string>> => {
  const { db } = graph
  const serverId = await insertServer(db)
  const sessionId = await insertSession(db, { serverId, status: 'RUNNING' })
  const deployment = await db.selectFrom('configs.server_game_configs').select(['id', 'game_config_id']).executeTakeFirstOrThrow()
  const game = await db.selectFrom('configs.games').select('id').executeTakeFirstOrThrow()
  const backup = { id: newId(), server_game_config_id: deployment.id, server_id: serverId, status: 'PENDING', created_by: 'test' }
  await db.insertInto('backups.backups').values(backup).execute()
  const restore = { id: newId(), backup_id: backup.id, server_game_config_id: deployment.id, server_id: serverId }
  await db
    .insertInto('backups.restores')
    .values({ ...restore, status: 'PENDING', created_by: 'test' })
    .execute()
  const schedule = { id: newId(), server_game_config_id: deployment.id, name: 'nightly', cron: '0 5 * * *', time_zone: 'UTC' }
  await db
    .insertInto('backups.schedules')
    .values({ ...schedule, enabled: false, missed: 'SKIP', steps: '[]', created_by: 'test', updated_by: 'test' })
    .execute()
  const transfer = { id: newId(), server_game_config_id: deployment.id, from_server_id: serverId }
  await db
    .insertInto('backups.transfers')
    .values({ ...transfer, to_server_id: await insertServer(db), step: 'STOPPING', created_by: 'test' })
    .execute()
  const user = await accounts.createUser(admin)
  return {
    Server: serverId,
    Session: sessionId,
    ServerGameConfig: deployment.id,
    GameConfig: deployment.game_config_id,
    Game: game.id,
    Backup: backup.id,
    Restore: restore.id,
    Schedule: schedule.id,
    Transfer: transfer.id,
    User: user.id,
  }
}
