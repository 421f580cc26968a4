import { Conflict, type ErrorCode, Invalid, ManManError, OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import type { ReplyResult, RequestBody } from '../lib/messages/requests.ts'
import type { Requester } from '../lib/rabbit/requester.ts'

type Of<Kind extends RequestBody['kind']> = Extract<RequestBody, { kind: Kind }>

/** How long a host may take to answer. */
const inputLimitMs = 5_000
const watchLimitMs = 3_000
const readLimitMs = 5_000

/**
 * What subgraphs ask hosts. All reject with `Unavailable` at once when no host listens, with `OutcomeUnknown` when none
 * answers in time.
 */
export const makeHostRequests = ({ requester }: { requester: Requester }) => ({
  /** Types a line into a session; resolves when it stands in the game's stdin. */
  input: (serverId: string, body: Of<'session.input'>): Promise<ReplyResult<'session.input'>> =>
    requester.request(serverId, body, inputLimitMs).catch(translate),

  /** Has the host publish a session's lines for `leaseMs`; answers what it has of them. */
  watch: (serverId: string, sessionId: string, leaseMs: number): Promise<ReplyResult<'session.watch'>> =>
    requester.request(serverId, { kind: 'session.watch', sessionId, leaseMs }, watchLimitMs),

  /** Has the host publish what a session uses for `leaseMs`. */
  watchStats: (serverId: string, sessionId: string, leaseMs: number): Promise<ReplyResult<'stats.watch'>> =>
    requester.request(serverId, { kind: 'stats.watch', sessionId, leaseMs }, watchLimitMs),

  /** What the next start of a deployment would change in its files. */
  previewFiles: (serverId: string, body: Omit<Of<'files.preview'>, 'kind'>): Promise<ReplyResult<'files.preview'>> =>
    requester.request(serverId, { kind: 'files.preview', ...body }, readLimitMs),

  /** A page of a session's lines. */
  readLogs: (
    serverId: string,
    sessionId: string,
    query: Omit<Of<'logs.read'>, 'kind' | 'sessionId'>,
  ): Promise<ReplyResult<'logs.read'>> => requester.request(serverId, { kind: 'logs.read', sessionId, ...query }, readLimitMs),
})

/** A host's own refusal comes as a bare code; a mutation's result wants the class that its type was made of. */
const translate = (error: unknown): never => {
  if (!(error instanceof ManManError) || error.constructor !== ManManError) throw error
  throw (classes[error.code] ?? classes.UNAVAILABLE!)(error)
}

/** NOT_FOUND too is `Unavailable`: the session is there, only not on the host yet, or any more. */
const classes: Partial<Record<ErrorCode, (error: ManManError) => ManManError>> = {
  INVALID_INPUT: (error) => Invalid.at('input', error.message),
  CONFLICT: (error) => new Conflict(error.message, { cause: error }),
  OUTCOME_UNKNOWN: (error) => new OutcomeUnknown(error.message),
  UNAVAILABLE: (error) => new Unavailable(error.message, { cause: error }),
}
