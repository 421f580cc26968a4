import type { Role } from '../../lib/domain/roles.ts'
import type { Graph } from './whole-graph.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of queries written as text have the shape the test asked for
type Answer = any

export const password = 'correct horse battery'

const errors = '... on Error { code message } ... on InvalidInputError { issues { path } }'

const createUser = `mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename ... on User { id email name role } ${errors} } }`
const login = `mutation ($input: LoginInput!) { login(input: $input) { __typename ... on LoginPayload { token expiresAt user { id } } ${errors} } }`
const createToken = `mutation ($input: CreateTokenInput!) { createToken(input: $input) {
  __typename ... on CreateTokenPayload { secret token { id prefix } } ${errors} } }`

/** What a client does with accounts; each answers the mutation's union, or fails. */
export const makeAccounts = (graph: Graph) => {
  const run = async (token: string | null, query: string, variables: Record<string, unknown> = {}): Promise<Answer> => {
    const result = await graph.clientOf(token).request(query, variables)
    if (result.errors.length > 0) throw new Error(JSON.stringify(result.errors))
    return result.data
  }
  let count = 0
  const accounts = {
    run,
    /** Codes of the errors that stand instead of data. */
    codes: async (token: string | null, query: string, variables: Record<string, unknown> = {}): Promise<string[]> =>
      (await graph.clientOf(token).request(query, variables)).errors.map(({ extensions }) => extensions.code),
    createUser: async (token: string, input: object = {}): Promise<Answer> => {
      const given = { email: `user-${++count}@example.org`, name: `user ${count}`, role: 'OPERATOR', password, ...input }
      return (await run(token, createUser, { input: given })).createUser
    },
    login: async (input: object): Promise<Answer> => (await run(null, login, { input: { password, ...input } })).login,
    createToken: async (token: string, input: object = {}): Promise<Answer> =>
      (await run(token, createToken, { input: { name: 'test', role: 'VIEWER', ...input } })).createToken,
    /** A new user of that role, who has logged in. */
    newcomer: async (admin: string, role: Role): Promise<{ id: string; email: string; token: string }> => {
      const { id, email } = await accounts.createUser(admin, { role })
      return { id, email, token: (await accounts.login({ email })).token }
    },
  }
  return accounts
}
