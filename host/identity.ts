import { createHash, generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { Unavailable } from '../lib/domain/errors.ts'
import { credentialsSchema } from '../lib/messages/commands.ts'
import { BadConfig } from '../lib/process/env.ts'
import { readJsonFile, writeFileDurably } from './files.ts'
import { isThisMachine, readMachineId } from './machine-id.ts'

const identitySchema = z.object({
  serverId: z.uuid(),
  amqpUrl: z.string(),
  username: z.string(),
  password: z.string(),
  machineId: z.string(),
  publicKey: z.string(),
  /** PEM; after it those of earlier enrolments, as sessions still have what was sealed to them. */
  privateKey: z.string(),
  /** Offered by the control plane, and not known to work yet. */
  next: credentialsSchema.optional(),
  /** SHA-256 of the token it joined with: given once more, it is not spent again. */
  joinedWith: z.string().optional(),
  /** The door it joined by; missing where it joined before that was kept. */
  url: z.string().optional(),
})

/** Who this host is: given by enrolment, kept in `identity.json`, mode 0600. */
export type HostIdentity = z.infer<typeof identitySchema>

const enrollMutation = `mutation Enroll($input: EnrollServerInput!) {
  enrollServer(input: $input) {
    __typename
    ... on EnrollServerPayload { serverId amqpUrl username password }
    ... on Error { code message }
  }
}`

const answerSchema = z.object({
  data: z
    .object({
      enrollServer: z.union([
        z.object({
          __typename: z.literal('EnrollServerPayload'),
          serverId: z.uuid(),
          amqpUrl: z.string(),
          username: z.string(),
          password: z.string(),
        }),
        z.object({ code: z.string(), message: z.string() }),
      ]),
    })
    .nullish(),
  errors: z.array(z.object({ message: z.string() })).optional(),
})

const requestLimitMs = 15_000

const pathOf = (dataDir: string): string => join(dataDir, 'identity.json')

/**
 * The identity kept in `dataDir`; undefined before this machine has joined. Throws `BadConfig` when it is another machine's:
 * of two that speak for one server, nobody could believe either.
 */
export const loadIdentity = async (dataDir: string): Promise<HostIdentity | undefined> => {
  const known = await readJsonFile(pathOf(dataDir))
  if (known === undefined) return undefined
  const identity = identitySchema.parse(known)
  if (await isThisMachine(identity.machineId)) return identity
  throw new BadConfig([
    `${pathOf(dataDir)} is the identity of another machine (${identity.machineId}, while this one is ${await readMachineId()}). Register this machine as a server of its own (registerServer), and join from an empty data directory with its token.`,
  ])
}

/** Keeps what this host has for the broker from now on. */
export const saveIdentity = (dataDir: string, identity: HostIdentity): Promise<void> =>
  writeFileDurably(pathOf(dataDir), JSON.stringify(identity, null, 2))

/** True for a token that this host has not joined with. Which one it was is not known of those that joined long ago. */
export const isNewToken = (known: HostIdentity, token: string): boolean =>
  known.joinedWith !== undefined && known.joinedWith !== hashOf(token)

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

const keptKeys = 3

/**
 * Spends the enrolment token at the gateway's address, and keeps the identity that it gives. `known` is who this host is
 * already: it stays that server, with new credentials and a new key, and opens what was sealed to the ones before.
 * `Unavailable` when trying again may help; `BadConfig` when the token is refused.
 */
export const joinFleet = async (options: {
  dataDir: string
  join: { url: string; token: string } | undefined
  known?: HostIdentity
}): Promise<HostIdentity> => {
  if (!options.join) {
    throw new BadConfig([
      `this machine has not joined yet (no ${pathOf(options.dataDir)}): start it once with --join URL --token T, where registerServer gives T`,
    ])
  }
  const identity = await enroll(options.join, options.known)
  await saveIdentity(options.dataDir, identity)
  return identity
}

const enroll = async (to: { url: string; token: string }, known: HostIdentity | undefined): Promise<HostIdentity> => {
  const pair = generateKeyPairSync('x25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const machineId = await readMachineId()
  const url = new URL('/graphql', to.url)
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: enrollMutation,
      variables: { input: { token: to.token, publicKey: pair.publicKey, machineId, serverId: known?.serverId } },
    }),
    signal: AbortSignal.timeout(requestLimitMs),
  }).catch((error) => {
    throw new Unavailable(`${url.origin} can not be reached: ${(error.cause ?? error).message}`, { cause: error })
  })
  const answer = answerSchema.safeParse(await response.json().catch(() => undefined))
  if (!answer.success) throw new Unavailable(`${url.origin} answers ${response.status}, and not as ManMan does.`)
  const result = answer.data.data?.enrollServer
  if (!result)
    throw new BadConfig([
      `${url.origin} refused: ${answer.data.errors?.map((error) => error.message).join('; ') ?? response.status}`,
    ])
  if ('code' in result) {
    if (result.code === 'UNAVAILABLE') throw new Unavailable(`${url.origin} can not enrol anybody now: ${result.message}`)
    throw new BadConfig([`--token: ${url.origin} refused it: ${result.message}`])
  }
  const { serverId, amqpUrl, username, password } = result
  return {
    serverId,
    amqpUrl,
    username,
    password,
    machineId,
    publicKey: pair.publicKey,
    privateKey: [pair.privateKey, ...keysOf(known)].slice(0, keptKeys).join(''),
    joinedWith: hashOf(to.token),
    url: url.origin,
  }
}

const keysOf = (identity: HostIdentity | undefined): string[] =>
  identity?.privateKey.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n?/g) ?? []
