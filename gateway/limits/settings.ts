import type { z } from 'zod'
import { envKinds } from '../../lib/process/env.ts'
import { defaultLimits, type Limits } from '../limits.ts'

/** Variables by the limit that each sets; those of times are in seconds. docs/limits.md says what each does. */
const names = {
  maxDepth: 'MANMAN_MAX_DEPTH',
  maxIntrospectionDepth: 'MANMAN_MAX_INTROSPECTION_DEPTH',
  maxAliases: 'MANMAN_MAX_ALIASES',
  maxRootFields: 'MANMAN_MAX_ROOT_FIELDS',
  maxFields: 'MANMAN_MAX_FIELDS',
  maxTokens: 'MANMAN_MAX_DOCUMENT_TOKENS',
  maxVariableDepth: 'MANMAN_MAX_VARIABLE_DEPTH',
  maxCost: 'MANMAN_MAX_COST',
  maxRequestBytes: 'MANMAN_MAX_REQUEST_BYTES',
  ratePerToken: 'MANMAN_RATE_PER_TOKEN',
  burstPerToken: 'MANMAN_BURST_PER_TOKEN',
  rateOfStrangers: 'MANMAN_RATE_OF_STRANGERS',
  burstOfStrangers: 'MANMAN_BURST_OF_STRANGERS',
  maxConnections: 'MANMAN_MAX_CONNECTIONS',
  maxConnectionsPerAddress: 'MANMAN_MAX_CONNECTIONS_PER_ADDRESS',
  maxSockets: 'MANMAN_MAX_SOCKETS',
  maxSocketsPerToken: 'MANMAN_MAX_SOCKETS_PER_TOKEN',
  maxOperationsPerSocket: 'MANMAN_MAX_OPERATIONS_PER_SOCKET',
  maxSubscriptionsPerToken: 'MANMAN_MAX_SUBSCRIPTIONS_PER_TOKEN',
  maxSubscriptionsPerAddress: 'MANMAN_MAX_SUBSCRIPTIONS_PER_ADDRESS',
  initTimeoutMs: 'MANMAN_INIT_TIMEOUT_SECONDS',
  headersTimeoutMs: 'MANMAN_HEADERS_TIMEOUT_SECONDS',
  requestTimeoutMs: 'MANMAN_REQUEST_TIMEOUT_SECONDS',
  idleTimeoutMs: 'MANMAN_IDLE_TIMEOUT_SECONDS',
  slowReaderMs: 'MANMAN_SLOW_READER_SECONDS',
  maxUnsentBytes: 'MANMAN_MAX_UNSENT_BYTES',
} as const satisfies Record<keyof Limits, string>

type Name = (typeof names)[keyof Limits]

const entries = Object.entries(names) as [keyof Limits, Name][]
/** A limit may be anything a timer and a count can hold. */
const maxValue = 2_000_000

const scaleOf = (limit: keyof Limits): number => (limit.endsWith('Ms') ? 1_000 : 1)

const kindOf = (limit: keyof Limits) => {
  const kind = envKinds.positiveInt(defaultLimits[limit] / scaleOf(limit))
  return limit.endsWith('Ms') ? kind.refine((value) => value <= maxValue, `is more than ${maxValue} seconds`) : kind
}

export const limitVariables = Object.fromEntries(entries.map(([limit, name]) => [name, kindOf(limit)])) as unknown as Record<
  Name,
  z.ZodType<number>
>

export const toLimits = (given: Record<Name, number>): Limits =>
  Object.fromEntries(entries.map(([limit, name]) => [limit, given[name] * scaleOf(limit)])) as unknown as Limits
