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
/** Questions that must have failed by then: when it was we who stood still, nobody is to suffer for it. */
const failuresBeforeEnd = 2
const lookMs = 250
const askLimitMs = 1_500
const perQuestion = 500

const question = parse(
  'query TokenOwners($tokens: [String!]!, $addresses: [String]!, $agents: [String]!) { tokenOwners(tokens: $tokens, addresses: $addresses, agents: $agents) { owners { sub kind role user token scopes grants } unknown } }',
)

const ownerSchema = z.object({
  sub: z.string(),
  kind: z.enum(['user', 'token']),
  role: z.enum(roles),
  user: z.string().nullable(),
  token: z.string().nullable(),
  scopes: z.array(z.string()),
  grants: z.string().nullable(),
})

const answerSchema = z.object({
  tokenOwners: z.object({ owners: z.array(ownerSchema.nullable()), unknown: z.array(z.number()) }),
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
  /** Questions since then that brought no answer. */
  failures: number
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
  /** Where each was shown last, of those that are asked about. */
  const shownFrom = new LRUCache<string, NonNullable<Identity['from']>>({ max: 10_000 })
  const watches = new Set<Watch>()

  const askAll = async (tokens: readonly string[]): Promise<(Confirmed | Error)[]> => {
    const atMs = performance.now()
    const signed = await signIdentity(gateway)
    const asked = accounts.execute({
      document: question,
      variables: {
        tokens: [...tokens],
        addresses: tokens.map((token) => shownFrom.get(keyOf(token))?.address ?? null),
        agents: tokens.map((token) => shownFrom.get(keyOf(token))?.agent ?? null),
      },
      identity: signed,
      signal: AbortSignal.timeout(askLimitMs),
    })
    const owners = read(await withTimeout(asked, askLimitMs, () => new Error('no answer in time')))
    return tokens.map((token, index) => {
      const identity = owners[index]
      if (identity === 'unknown') return new Error('its issuer does not answer')
      const confirmed = { identity, atMs }
      known.set(keyOf(token), confirmed)
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
    // One that can't be told about keeps the others waiting no longer, and is closed when its time is over.
    const found = new Map<string, Confirmed>()
    const results = await Promise.allSettled(tokens.map(async (token) => found.set(token, await ask.load(token))))
    for (const watch of watches) {
      const confirmed = found.get(watch.token)
      if (!confirmed) watch.failures++
      else if (JSON.stringify(confirmed.identity) === watch.identity)
        Object.assign(watch, { confirmedAtMs: confirmed.atMs, failures: 0 })
      else end(watch)
    }
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) logger.warn({ err: failed.reason }, 'open connections could not be checked')
  }

  let polledAtMs = Number.NEGATIVE_INFINITY
  let polling = false
  const look = (): void => {
    const nowMs = performance.now()
    for (const watch of watches) {
      if (watch.failures >= failuresBeforeEnd && nowMs - watch.confirmedAtMs > confirmedForMs) end(watch)
    }
    if (polling || watches.size === 0 || nowMs - polledAtMs < pollMs) return
    polling = true
    polledAtMs = nowMs
    void poll().finally(() => {
      polling = false
    })
  }
  const timer = setInterval(look, lookMs)
  timer.unref()

  return {
    /** Rejects with UNAUTHENTICATED, or UNAVAILABLE. */
    authenticate: async (token: string, from?: Identity['from']): Promise<Identity> => {
      if (from) shownFrom.set(keyOf(token), from)
      const { identity } = await confirm(token)
      if (!identity) throw unauthenticated('This token is not valid.')
      return identity
    },
    /**
     * Calls `gone`, once, within 5 s of the moment from which the token is not what it was: revoked, over, its user deleted
     * or of another role, or with other grants; also when nobody can say so. Answers what ends the watch.
     */
    watch: (token: string, identity: Identity, gone: () => void): (() => void) => {
      const confirmedAtMs = known.get(keyOf(token))?.atMs ?? performance.now() - cacheMs
      const watch = { token, identity: JSON.stringify(identity), confirmedAtMs, failures: 0, gone }
      watches.add(watch)
      return () => void watches.delete(watch)
    },
    close: (): void => clearInterval(timer),
  }
}

export type Tokens = ReturnType<typeof makeTokens>

const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

const read = ({ data, errors }: ExecutionResult): (Identity | 'unknown' | undefined)[] => {
  if (errors?.length) throw errors[0]
  const { owners, unknown } = answerSchema.parse(data).tokenOwners
  return owners.map((owner, index) => {
    if (unknown.includes(index)) return 'unknown'
    if (!owner) return undefined
    const { sub, kind, role, user, token, scopes, grants } = owner
    const known = { ...(user !== null && { user }), ...(token !== null && { token }), ...(grants !== null && { grants }) }
    return { sub, kind, role, scopes, ...known }
  })
}
