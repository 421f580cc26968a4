import { GraphQLError } from 'graphql'

export interface Limits {
  /** Levels of fields; a connection is three. Introspection has its own, since tools ask it deeper than data is. */
  maxDepth: number
  maxIntrospectionDepth: number
  /** Aliases in an operation, those of its fragments counted wherever they are spread. */
  maxAliases: number
  /** Fields at an operation's root: each is work of its own, so this is the size of a batch. */
  maxRootFields: number
  /** Fields in an operation, fragments spread out. */
  maxFields: number
  /** Tokens of a document, counted as it is read. Also what keeps nesting (two tokens a level) from the end of the stack. */
  maxTokens: number
  /** Levels of objects and lists in variables, and in what stands in a document itself. */
  maxVariableDepth: number
  /** Objects that an operation may answer at most, by the sizes of its pages (`limits/cost.ts`). */
  maxCost: number
  /** Bytes of one request, over HTTP as over WebSocket. */
  maxRequestBytes: number
  /** Units a second for each token, and what may be taken at once. An operation is one unit, or more (`limits/cost.ts`). */
  ratePerToken: number
  burstPerToken: number
  /** Requests a second from each address by those without a good token. */
  rateOfStrangers: number
  burstOfStrangers: number
  /** Connections of any kind. */
  maxConnections: number
  maxConnectionsPerAddress: number
  maxSockets: number
  maxSocketsPerToken: number
  /** Operations under way on one WebSocket, subscriptions included. */
  maxOperationsPerSocket: number
  maxSubscriptionsPerToken: number
  maxSubscriptionsPerAddress: number
  /** Time a WebSocket may take to its connection_init. */
  initTimeoutMs: number
  /** Time a request's headers may take, and the whole of it. */
  headersTimeoutMs: number
  requestTimeoutMs: number
  /** Time without a byte in either direction after which an HTTP connection ends. */
  idleTimeoutMs: number
  /** Time a WebSocket with something to read may go without taking a message. */
  slowReaderMs: number
  /** Unsent bytes at which a WebSocket that asks for more is closed. */
  maxUnsentBytes: number
}

export const defaultLimits: Limits = {
  maxDepth: 16,
  maxIntrospectionDepth: 20,
  maxAliases: 50,
  maxRootFields: 20,
  maxFields: 1_000,
  maxTokens: 2_000,
  maxVariableDepth: 32,
  maxCost: 1_000_000,
  maxRequestBytes: 2 * 1024 * 1024,
  ratePerToken: 500,
  burstPerToken: 5_000,
  rateOfStrangers: 20,
  burstOfStrangers: 300,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 2_000,
  maxSockets: 5_000,
  maxSocketsPerToken: 2_000,
  maxOperationsPerSocket: 100,
  maxSubscriptionsPerToken: 5_000,
  maxSubscriptionsPerAddress: 5_000,
  initTimeoutMs: 5_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 120_000,
  slowReaderMs: 30_000,
  maxUnsentBytes: 8 * 1024 * 1024,
}

/** What a limit goes by in errors and metrics. */
export type LimitName =
  | 'depth'
  | 'introspection_depth'
  | 'aliases'
  | 'root_fields'
  | 'fields'
  | 'document_tokens'
  | 'variable_depth'
  | 'cost'
  | 'request_bytes'
  | 'rate'
  | 'stranger_rate'
  | 'connections'
  | 'connections_per_address'
  | 'sockets'
  | 'sockets_per_token'
  | 'operations_per_socket'
  | 'subscriptions_per_token'
  | 'subscriptions_per_address'
  | 'init_timeout'
  | 'slow_reader'
  | 'unsent_bytes'
  | 'origin'
  | 'introspection'

/** Told of everything that a limit has refused. */
export type Refused = (limit: LimitName) => void

export const limitCode = 'LIMIT_EXCEEDED'

/** `retryAfter` is in seconds, where waiting helps. */
export const limitError = (limit: LimitName, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: limitCode, limit } })
