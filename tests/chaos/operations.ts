import { setTimeout as delay } from 'node:timers/promises'
import { waitUntil } from '../../cli/services/processes.ts'
import { isTerminal, type SessionStatus } from '../../lib/domain/session-states.ts'
import { withTimeout } from '../../lib/process/retry.ts'
import type { GraphqlClient, GraphqlResult, TypedDocument } from '../support/graphql-client.ts'
import * as graph from '../support/operations.ts'
import type { Board } from './board.ts'
import type { Answer, OperationRecord } from './evidence.ts'
import type { Operation, OperationKind } from './plan.ts'
import type { World } from './world.ts'

const answerLimitMs = 15_000
/** So often does a client ask when nobody answers, or the answer says that it is not known. */
const maxAttempts = 6
const againMs = 1_000
const runningLimitMs = 8_000

/** A session, and where it is. */
interface Aim {
  deploymentId: string
  sessionId: string
}

interface Union {
  __typename: string
  id?: string
  status?: string
  code?: string
  message?: string
}

/** Does what a plan says, as a client that repeats itself until it knows, and writes down every answer. */
export const makeOperations = (options: {
  client: GraphqlClient
  world: World
  board: Board
  contestedPorts: readonly Contested[]
}) => {
  const { client, board, world } = options
  const records: OperationRecord[] = []

  /** One thing wanted, asked for until the answer is certain. */
  const insist = async <Variables>(
    about: Partial<OperationRecord> & Pick<OperationRecord, 'step' | 'kind'>,
    document: TypedDocument<Record<string, Union>, Variables>,
    variables: Variables,
  ): Promise<void> => {
    const record: OperationRecord = {
      deploymentId: null,
      sessionId: null,
      key: null,
      input: null,
      port: null,
      answers: [],
      ...about,
    }
    records.push(record)
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const askedAtMs = Date.now()
      const { answer, status } = await ask(client, document, variables)
      record.answers.push({ ...answer, askedAtMs, answeredAtMs: Date.now() })
      if (answer.outcome === 'accepted' && answer.sessionId && status && record.deploymentId)
        board.note(record.deploymentId, answer.sessionId, status as SessionStatus)
      if (answer.outcome === 'accepted' || answer.outcome === 'refused') return
      await delay(againMs)
    }
  }

  const start = (step: number, kind: OperationKind, deploymentId: string, key: string): Promise<void> =>
    insist({ step, kind, deploymentId, key }, graph.startSession, {
      input: { serverGameConfigId: deploymentId, idempotencyKey: key },
    })

  const isFree = (session: { status: SessionStatus } | undefined): boolean => !session || isTerminal(session.status)
  const isLive = (session: { status: SessionStatus } | undefined): boolean => !isFree(session)
  const isRunning = (session: { status: SessionStatus } | undefined): boolean => session?.status === 'RUNNING'

  /** A session to stop, kill or restart; none where nothing was ever started. */
  const aim = ({ target }: Operation, fits: typeof isLive): Aim | undefined => {
    const { deploymentId, session } = board.pick(target, fits)
    return session && { deploymentId, sessionId: session.id }
  }

  /** Types a line into a session's console. */
  const type = (step: number, kind: OperationKind, at: Aim, input: string): Promise<void> => {
    const key = `op-${step}`
    return insist({ step, kind, ...at, key, input }, graph.sendInput, {
      input: { sessionId: at.sessionId, input, idempotencyKey: key },
    })
  }

  /** Waits a little for a game that runs; talks to one that does not, or starts one, where none does. */
  const talk = async (step: number, operation: Operation, input: string): Promise<void> => {
    const { target, kind } = operation
    await waitUntil(() => isRunning(board.pick(target, isRunning).session), runningLimitMs)
    const at = aim(operation, isRunning)
    return at ? type(step, kind, at, input) : start(step, 'start', board.pick(target, isFree).deploymentId, `op-${step}`)
  }

  const perform: Record<OperationKind, (step: number, operation: Operation) => Promise<unknown>> = {
    start: (step, { target }) => start(step, 'start', board.pick(target, isFree).deploymentId, `op-${step}`),
    'start-again': (step, { kind, target }) => {
      const { deploymentId } = board.pick(target, isFree)
      return Promise.all([1, 2].map(() => start(step, kind, deploymentId, `op-${step}`)))
    },
    'start-race': (step, { kind, target }) => {
      const { deploymentId } = board.pick(target, isFree)
      return Promise.all(['a', 'b'].map((name) => start(step, kind, deploymentId, `op-${step}-${name}`)))
    },
    stop: async (step, operation) => {
      const at = aim(operation, isLive)
      if (at) await insist({ step, kind: 'stop', ...at }, graph.stopSession, { input: { sessionId: at.sessionId } })
    },
    kill: async (step, operation) => {
      const at = aim(operation, isLive)
      if (at) await insist({ step, kind: 'kill', ...at }, graph.killSession, { input: { sessionId: at.sessionId } })
    },
    restart: async (step, operation) => {
      const at = aim(operation, isLive)
      const key = `op-${step}`
      if (at)
        await insist({ step, kind: 'restart', ...at, key }, graph.restartSession, {
          input: { sessionId: at.sessionId, idempotencyKey: key },
        })
    },
    input: (step, operation) => talk(step, operation, `say op-${step}`),
    crash: (step, operation) => talk(step, operation, `crash ${operation.exitCode} op-${step}`),
    exit: (step, operation) => talk(step, operation, `crash 0 op-${step}`),
    'deploy-race': (step, { kind, target }) => {
      const { serverId, port } = options.contestedPorts[target % options.contestedPorts.length]!
      const wanted = (name: string) => ({
        serverId,
        gameConfigId: world.gameConfigId,
        name: `race ${step} ${name}`,
        portBindings: [{ name: 'game', hostPort: port }],
      })
      return Promise.all(['a', 'b'].map((name) => insist({ step, kind, port }, graph.deployGameConfig, { input: wanted(name) })))
    },
  }

  return {
    records: (): OperationRecord[] => records,
    start,
    type,
    perform: async (step: number, operation: Operation): Promise<void> => void (await perform[operation.kind](step, operation)),
  }
}

/** A port that several deployments will want. */
export interface Contested {
  serverId: string
  port: number
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
