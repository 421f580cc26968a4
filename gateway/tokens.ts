import { createHash } from 'node:crypto'
import DataLoader from 'dataloader'
import { type ExecutionResult, parse } from 'graphql'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { roles } from '../lib/domain/roles.ts'
import type { Identity } from '../lib/process/identity.ts'
import type { Logger } from '../lib/process/logger.ts'
import { withTimeout } from '../lib/process/retry.ts'
import { unauthenticated } from './auth.ts'
import { codedError } from './errors.ts'
import type { Upstream } from './upstreams.ts'

/** How long the answer for a token is good for the next request that shows it. */
const cacheMs = 1_000
const pollMs = 1_000
/** A connection whose token could not be confirmed for so long is closed: it may have been revoked meanwhile. */
const confirmedForMs = 4_000
const lookMs = 250
const askLimitMs = 2_000
const perQuestion = 500

const question = parse('query TokenOwners($tokens: [String!]!) { tokenOwners(tokens: $tokens) { sub kind role user token } }')

const answerSchema = z.object({
  tokenOwners: z.array(
    z
      .object({
        sub: z.string(),
        kind: z.enum(['user', 'token']),
        role: z.enum(roles),
        user: z.string().nullable(),
        token: z.string().nullable(),
      })
      .nullable(),
  ),
})

const gateway: Identity = { sub: 'gateway', kind: 'gateway', scopes: [] }

interface Confirmed {
  identity: Identity | undefined
  /** When it was asked, which is not later than when it was so. */
  atMs: number
}

interface Watch {
  token: string
  identity: string
  confirmedAtMs: number
  gone: () => void
}

/**
 * Whose a token is, as the accounts subgraph says; asked again when the answer is older than a second. Who can't be asked
 * about is not let in (UNAVAILABLE).
 */
export const makeTokens = (options: {
  accounts: Upstream
  signIdentity: (identity: Identity) => Promise<string>
  logger: Logger
}) => {
  const { accounts, signIdentity, logger } = options
  const known = new LRUCache<string, Confirmed>({ max: 10_000, ttl: cacheMs })
  const watches = new Set<Watch>()

  const askAll = async (tokens: readonly string[]): Promise<Confirmed[]> => {
    const atMs = performance.now()
    const identity = await signIdentity(gateway)
    const asked = accounts.execute({
      document: question,
      variables: { tokens: [...tokens] },
      identity,
      signal: AbortSignal.timeout(askLimitMs),
    })
    const owners = read(await withTimeout(asked, askLimitMs, () => new Error('no answer in time')))
    return owners.map((owner, index) => {
      const confirmed = { identity: owner, atMs }
      known.set(keyOf(tokens[index] ?? ''), confirmed)
      return confirmed
    })
  }
  const ask = new DataLoader<string, Confirmed>(askAll, { cache: false, maxBatchSize: perQuestion })
  const confirm = async (token: string): Promise<Confirmed> => {
    const fresh = known.get(keyOf(token))
    if (fresh) return fresh
    return ask.load(token).catch((error: unknown) => {
      logger.warn({ err: error }, 'the accounts subgraph does not say whose a token is')
      throw codedError('UNAVAILABLE', 'Whose this token is can not be found out right now.', 503)
    })
  }

  const end = (watch: Watch): void => {
    if (watches.delete(watch)) watch.gone()
  }
  const poll = async (): Promise<void> => {
    const tokens = [...new Set([...watches].map(({ token }) => token))]
    const found = new Map(await Promise.all(tokens.map(async (token) => [token, await ask.load(token)] as const)))
    for (const watch of watches) {
      const confirmed = found.get(watch.token)
      if (!confirmed) continue
      if (JSON.stringify(confirmed.identity) === watch.identity) watch.confirmedAtMs = confirmed.atMs
      else end(watch)
    }
  }

  let polledAtMs = Number.NEGATIVE_INFINITY
  let polling = false
  const look = (): void => {
    const nowMs = performance.now()
    for (const watch of watches) if (nowMs - watch.confirmedAtMs > confirmedForMs) end(watch)
    if (polling || watches.size === 0 || nowMs - polledAtMs < pollMs) return
    polling = true
    polledAtMs = nowMs
    poll()
      .catch((error: unknown) => logger.warn({ err: error }, 'open connections could not be checked'))
      .finally(() => {
        polling = false
      })
  }
  const timer = setInterval(look, lookMs)
  timer.unref()

  return {
    /** Rejects with UNAUTHENTICATED, or UNAVAILABLE. */
    authenticate: async (token: string): Promise<Identity> => {
      const { identity } = await confirm(token)
      if (!identity) throw unauthenticated('This token is not valid.')
      return identity
    },
    /**
     * Calls `gone`, once, within 5 s of the moment from which the token is not what it was: revoked, over, its user deleted
     * or of another role; also when nobody can say so. Answers what ends the watch.
     */
    watch: (token: string, identity: Identity, gone: () => void): (() => void) => {
      const confirmedAtMs = known.get(keyOf(token))?.atMs ?? performance.now() - cacheMs
      const watch = { token, identity: JSON.stringify(identity), confirmedAtMs, gone }
      watches.add(watch)
      return () => void watches.delete(watch)
    },
    close: (): void => clearInterval(timer),
  }
}

export type Tokens = ReturnType<typeof makeTokens>

const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

const read = ({ data, errors }: ExecutionResult): (Identity | undefined)[] => {
  if (errors?.length) throw errors[0]
  return answerSchema.parse(data).tokenOwners.map((owner) => {
    if (!owner) return undefined
    const { sub, kind, role, user, token } = owner
    return { sub, kind, role, scopes: [], ...(user !== null && { user }), ...(token !== null && { token }) }
  })
}
