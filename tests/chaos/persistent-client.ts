import { setTimeout as delay } from 'node:timers/promises'
import type { SessionStatus } from '../../lib/domain/session-states.ts'
import { withTimeout } from '../../lib/process/retry.ts'
import type { GraphqlClient, GraphqlResult, TypedDocument } from '../support/graphql-client.ts'
import type { Answer, OperationRecord } from './evidence.ts'

const answerLimitMs = 15_000
/** So often does a client ask when nobody answers, or the answer says that it is not known. */
const maxAttempts = 6
const againMs = 1_000

/** What mutations answer with. */
interface Union {
  __typename: string
  id?: string
  status?: string
  code?: string
  message?: string
}

const nothing: Omit<OperationRecord, 'step' | 'kind' | 'answers'> = {
  deploymentId: null,
  sessionId: null,
  key: null,
  input: null,
  port: null,
}

/** A client that repeats itself until it knows, and writes down every answer. */
export const makePersistentClient = (options: {
  client: GraphqlClient
  /** A session that it was told of. */
  onSession: (deploymentId: string, sessionId: string, status: SessionStatus) => void
}) => {
  const records: OperationRecord[] = []
  return {
    /** One thing wanted, asked for until the answer is certain, or for some seconds. */
    insist: async <Variables>(
      about: Partial<OperationRecord> & Pick<OperationRecord, 'step' | 'kind'>,
      document: TypedDocument<Record<string, Union>, Variables>,
      variables: Variables,
    ): Promise<void> => {
      const record: OperationRecord = { ...nothing, ...about, answers: [] }
      records.push(record)
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const askedAtMs = Date.now()
        const { answer, status } = await ask(options.client, document, variables)
        record.answers.push({ ...answer, askedAtMs, answeredAtMs: Date.now() })
        if (answer.outcome === 'accepted' && answer.sessionId && status && record.deploymentId)
          options.onSession(record.deploymentId, answer.sessionId, status as SessionStatus)
        if (answer.outcome === 'accepted' || answer.outcome === 'refused') return
        await delay(againMs)
      }
    },
    records: (): OperationRecord[] => records,
  }
}

const ask = async <Variables>(
  client: GraphqlClient,
  document: TypedDocument<Record<string, Union>, Variables>,
  variables: Variables,
): Promise<{ answer: Answer; status?: string }> => {
  try {
    const asked = client.request(document, variables)
    const result = await withTimeout(asked, answerLimitMs, () => new Error('no answer in time'))
    return readResult(result)
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } }
    if (cause?.code === 'ECONNREFUSED') return { answer: { outcome: 'unreachable' } }
    return { answer: { outcome: 'unknown', why: cause?.code ?? message } }
  }
}

/** Codes that say: nothing has happened. */
const certain = new Set(['UNAVAILABLE', 'CONFLICT', 'NOT_FOUND', 'INVALID_INPUT', 'PORT_CONFLICT', 'LIMIT_EXCEEDED'])

const readResult = ({ data, errors }: GraphqlResult<Record<string, Union>>): { answer: Answer; status?: string } => {
  const [error] = errors
  const union = data && Object.values(data)[0]
  const code = error?.extensions?.code ?? union?.code
  const message = error?.message ?? union?.message ?? ''
  if (code !== undefined && certain.has(code)) return { answer: { outcome: 'refused', code, message } }
  if (code !== undefined || !union) return { answer: { outcome: 'unknown', why: `${code ?? 'no answer'}: ${message}` } }
  const isSession = union.__typename === 'Session'
  return { answer: { outcome: 'accepted', sessionId: isSession ? (union.id ?? null) : null }, status: union.status }
}
