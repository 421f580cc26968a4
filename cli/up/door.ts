import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { ServiceFault } from '../services/service.ts'
import { ownAddress } from './listening.ts'

const requestLimitMs = 15_000

/** Asks the door a question as the administrator. Throws `ServiceFault` with what it answered instead of data. */
export type Ask = <T>(query: string, variables: Record<string, unknown>, shape: z.ZodType<T>) => Promise<T>

export const makeAsk =
  (address: string, token: string): Ask =>
  async (query, variables, shape) => {
    const response = await fetch(new URL('/graphql', address), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(requestLimitMs),
    })
    const answer = answerSchema.parse(await response.json())
    if (answer.errors) throw new ServiceFault(`the door answered: ${answer.errors.map((error) => error.message).join('; ')}`)
    return shape.parse(answer.data)
  }

const answerSchema = z.object({ data: z.unknown(), errors: z.array(z.object({ message: z.string() })).optional() })

/** The id this machine's host enrolled with, or undefined when it has not. */
export const enrolledServerId = (hostDir: string): string | undefined => {
  try {
    return z.object({ serverId: z.uuid() }).parse(JSON.parse(readFileSync(join(hostDir, 'identity.json'), 'utf8'))).serverId
  } catch {
    return undefined // not there yet; one that is broken is the host's to complain about
  }
}

const registerMutation = `mutation RegisterLocal($input: RegisterServerInput!) {
  registerServer(input: $input) {
    __typename
    ... on RegisterServerPayload { enrollmentToken }
    ... on Error { message }
  }
}`

const registerAnswer = z.object({
  registerServer: z.union([z.object({ enrollmentToken: z.string() }), z.object({ __typename: z.string(), message: z.string() })]),
})

/** Adds this machine to the fleet as `local` (or `local-2`, … where that name is another machine's); answers its token. */
export const registerLocal = async (ask: Ask): Promise<{ name: string; token: string }> => {
  let refusal = ''
  const publicAddress = await ownAddress()
  for (let number = 1; number < 10; number++) {
    const name = number === 1 ? 'local' : `local-${number}`
    const { registerServer: result } = await ask(registerMutation, { input: { name, publicAddress } }, registerAnswer)
    if ('enrollmentToken' in result) return { name, token: result.enrollmentToken }
    refusal = result.message
    if (result.__typename !== 'ConflictError') break
  }
  throw new ServiceFault(`this machine could not be registered: ${refusal}`)
}

const serverQuery = 'query LocalServer($id: ID!) { server(id: $id) { name status } }'
const serverAnswer = z.object({ server: z.object({ name: z.string(), status: z.string() }).nullable() })

/** The server of that id as the control plane sees it now, or null. */
export const serverOf = async (ask: Ask, id: string) => (await ask(serverQuery, { id }, serverAnswer)).server

/** Waits until the machine's own heartbeat has arrived; answers its name. */
export const waitForOnline = async (ask: Ask, hostDir: string, limitMs: number): Promise<string> => {
  const deadline = Date.now() + limitMs
  for (;;) {
    const id = enrolledServerId(hostDir)
    const server = id === undefined ? null : await serverOf(ask, id).catch(() => null) // asked again until the deadline
    if (server?.status === 'ONLINE') return server.name
    if (Date.now() > deadline) throw new ServiceFault(`the host agent is not ONLINE after ${limitMs / 1000} s, see its log`)
    await delay(150)
  }
}
