import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Unavailable } from '../lib/domain/errors.ts'
import { BadConfig } from '../lib/process/env.ts'
import { readJsonFile, writeFileDurably } from './files.ts'

const identitySchema = z.object({
  serverId: z.uuid(),
  amqpUrl: z.string(),
  username: z.string(),
  password: z.string(),
  machineId: z.string(),
  publicKey: z.string(),
  privateKey: z.string(),
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

/**
 * The identity kept in `dataDir`, or a new one: spends the enrolment token at the gateway's address. A data directory
 * that has an identity keeps it, and the token stays unspent. `Unavailable` when trying again may help.
 */
export const loadOrEnroll = async (options: {
  dataDir: string
  join: { url: string; token: string } | undefined
}): Promise<HostIdentity> => {
  const path = join(options.dataDir, 'identity.json')
  const known = await readJsonFile(path)
  if (known !== undefined) return identitySchema.parse(known)
  if (!options.join) {
    throw new BadConfig([
      `this machine has not joined yet (no ${path}): start it once with --join URL --token T, where registerServer gives T`,
    ])
  }
  const identity = await enroll(options.join)
  await writeFileDurably(path, JSON.stringify(identity, null, 2))
  return identity
}

const enroll = async (to: { url: string; token: string }): Promise<HostIdentity> => {
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
      variables: { input: { token: to.token, publicKey: pair.publicKey, machineId } },
    }),
    signal: AbortSignal.timeout(requestLimitMs),
  }).catch((error) => {
    throw new Unavailable(`${url.origin} can not be reached: ${(error.cause ?? error).message}`, { cause: error })
  })
  const answer = answerSchema.safeParse(await response.json().catch(() => undefined))
  if (!answer.success) throw new Unavailable(`${url.origin} answers ${response.status}, and not as ManMan does.`)
  const result = answer.data.data?.enrollServer
  if (!result)
    throw new Error(`${url.origin} refused: ${answer.data.errors?.map((error) => error.message).join('; ') ?? response.status}`)
  if ('code' in result) {
    if (result.code === 'UNAVAILABLE') throw new Unavailable(result.message)
    throw new Error(`${url.origin} refused the enrolment: ${result.message}`)
  }
  const { serverId, amqpUrl, username, password } = result
  return { serverId, amqpUrl, username, password, machineId, publicKey: pair.publicKey, privateKey: pair.privateKey }
}

/** systemd's machine id where there is one; else a new one, which the identity file keeps. */
const readMachineId = async (): Promise<string> => {
  const text = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  return text.trim() || randomUUID()
}

const epochSchema = z.object({ epoch: z.number().int().nonnegative() })

/** Counts this start of the agent, durably: 1, 2, 3 … A file that is lost or broken starts from the clock, which is higher. */
export const nextEpoch = async (dataDir: string): Promise<number> => {
  const path = join(dataDir, 'epoch.json')
  const known = epochSchema.safeParse(await readJsonFile(path).catch(() => undefined))
  const epoch = known.success ? known.data.epoch + 1 : Math.floor(Date.now() / 1000)
  await writeFileDurably(path, JSON.stringify({ epoch }))
  return epoch
}

/** The broker's address with the host's credentials in it. */
export const amqpUrlOf = (identity: HostIdentity): string => {
  const url = new URL(identity.amqpUrl)
  url.username = encodeURIComponent(identity.username)
  url.password = encodeURIComponent(identity.password)
  return url.href
}
