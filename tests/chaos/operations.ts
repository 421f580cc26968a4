import { waitUntil } from '../../cli/services/processes.ts'
import { isTerminal, type SessionStatus } from '../../lib/domain/session-states.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import * as graph from '../support/operations.ts'
import type { Board } from './board.ts'
import { makePersistentClient } from './persistent-client.ts'
import type { Operation, OperationKind } from './plan.ts'
import type { World } from './world.ts'

const runningLimitMs = 8_000

/** A session, and where it is. */
interface Aim {
  deploymentId: string
  sessionId: string
}

/** Does what a plan says, on the session that fits best by then. */
export const makeOperations = (options: {
  client: GraphqlClient
  world: World
  board: Board
  contestedPorts: readonly Contested[]
}) => {
  const { client, board, world } = options
  const persistent = makePersistentClient({
    client,
    onSession: (deploymentId, id, status) => board.note(deploymentId, id, status),
  })
  const { insist } = persistent

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
    records: persistent.records,
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
