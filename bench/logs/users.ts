import type { Stage } from '../stage.ts'
import type { Game } from './game.ts'

const password = 'correct horse battery'

// biome-ignore lint/suspicious/noExplicitAny: answers of mutations written as text have the shape that is asked for
type Answer = any

const createUser = `mutation ($input: CreateUserInput!) {
  createUser(input: $input) { __typename ... on User { id } ... on Error { message } } }`
const setGrant = `mutation ($input: SetGrantInput!) {
  setGrant(input: $input) { __typename ... on Grant { id } ... on Error { message } } }`
const login = `mutation ($input: LoginInput!) {
  login(input: $input) { __typename ... on LoginPayload { token } ... on Error { message } } }`

/**
 * So many users who may view what the game writes, no two neighbours for the same reason: by a role, or by a grant on its
 * server, its game or its deployment, with more or less that they may do besides. Answers their tokens.
 */
export const makeUsers = async (stage: Stage, game: Game, count: number): Promise<string[]> => {
  const run = async (mutation: string, input: object, expected: string): Promise<Answer> => {
    const [answer] = Object.values((await stage.client.run(mutation, { input })) as Record<string, Answer>)
    if (answer.__typename !== expected) throw new Error(`${answer.__typename}: ${answer.message}`)
    return answer
  }
  const reasons = [
    { role: 'VIEWER' },
    { role: 'MEMBER', on: { serverId: stage.serverId }, permissions: ['VIEW'] },
    { role: 'MEMBER', on: { gameId: game.gameId }, permissions: ['CONTROL', 'CONSOLE'] },
    { role: 'OPERATOR' },
    { role: 'MEMBER', on: { serverGameConfigId: game.deploymentId }, permissions: ['BACKUPS'] },
    { role: 'ADMIN' },
    { role: 'MEMBER', on: { serverGameConfigId: game.deploymentId }, permissions: ['FILES', 'CONFIGURE'] },
  ]
  const tokens: string[] = []
  for (let index = 0; index < count; index++) {
    const { role, on, permissions } = reasons[index % reasons.length]!
    const email = `${game.sessionId}-${index}@bench.example`
    const user = await run(createUser, { email, name: `viewer ${index}`, role, password }, 'User')
    if (on) await run(setGrant, { userId: user.id, ...on, permissions }, 'Grant')
    tokens.push((await run(login, { email, password }, 'LoginPayload')).token)
  }
  return tokens
}
