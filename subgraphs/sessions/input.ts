import type { Database } from '../../lib/db/connect.ts'
import { makeBuckets, type Rate } from '../../lib/domain/buckets.ts'
import { NotFound, TooMany, Unavailable } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import type { SessionStatus } from '../../lib/domain/session-states.ts'
import type { ReplyResult, RequestBody } from '../../lib/messages/requests.ts'
import { sessionsById } from './store.ts'

export interface SendInputInput {
  sessionId: string | number
  input: string
  idempotencyKey?: string | null
}

export interface SendInputDeps {
  db: Database
  /** Asks a host; rejects with `Unavailable` at once when none listens, with `OutcomeUnknown` when none answers. */
  ask: (serverId: string, body: Extract<RequestBody, { kind: 'session.input' }>) => Promise<ReplyResult<'session.input'>>
  /** Throws `TooMany` when too much was typed into the session; whoever has none may type as much as they like. */
  admitInput?: (sessionId: string) => void
}

export const defaultInputRate: Rate = { perSecond: 10, burst: 100 }

/** So many lines for each session, whoever types them. Counted in this process. */
export const makeInputAdmission = (rate: Rate): Pick<Required<SendInputDeps>, 'admitInput'> & { refused: () => number } => {
  const buckets = makeBuckets(rate)
  let refused = 0
  return {
    admitInput: (sessionId) => {
      const seconds = buckets.take(sessionId, 1, performance.now())
      if (seconds === 0) return
      refused++
      const lines = `${rate.burst} lines, and ${rate.perSecond} more each second`
      throw new TooMany(`Too much is typed into this session (at most ${lines}): try again in ${seconds} s.`, seconds)
    },
    refused: () => refused,
  }
}

const maxInputBytes = 4 * 1024
const maxKeyLength = 200

/** STOPPING too: a game may ask something before it ends. */
const takesInput = new Set<SessionStatus>(['RUNNING', 'STOPPING'])

/** Types one line into a session's console; answers when the host has written it to the game's stdin. */
export const makeSendInput =
  (deps: SendInputDeps) =>
  async (given: SendInputInput, actor: string): Promise<{ sessionId: string; writtenAt: Date }> => {
    const { input, idempotencyKey } = parse(given)
    const sessionId = String(given.sessionId)
    const [session] = isUuid(sessionId) ? await sessionsById(deps.db, [sessionId]) : []
    if (!session) throw new NotFound('session', sessionId)
    deps.admitInput?.(sessionId)
    if (!takesInput.has(session.status))
      throw new Unavailable(`The session is ${session.status}; only a running one takes input.`)
    const body = { kind: 'session.input' as const, sessionId, actor, input, idempotencyKey }
    const { writtenAt } = await deps.ask(session.serverId, body)
    return { sessionId, writtenAt: new Date(writtenAt) }
  }

const parse = (given: SendInputInput): { input: string; idempotencyKey: string | null } => {
  const check = makeInputCheck()
  const { input, idempotencyKey = null } = given
  if (/[\r\n]/.test(input)) check.refuse('input', 'must be one line, without a line break')
  if (input.includes('\0')) check.refuse('input', 'must not contain a NUL character')
  if (Buffer.byteLength(input) > maxInputBytes) check.refuse('input', `must not be longer than ${maxInputBytes} bytes`)
  if (idempotencyKey !== null) check.text('idempotencyKey', idempotencyKey, maxKeyLength)
  check.throwIfAny()
  return { input, idempotencyKey }
}
