import { setTimeout as delay } from 'node:timers/promises'
import type { SessionStatus } from '../../lib/domain/session-states.ts'
import { withTimeout } from '../../lib/process/retry.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import type { Board } from './board.ts'

const everyMs = 700
const answerLimitMs = 5_000

interface Fleet {
  servers: {
    edges: { node: { deployments: Page<{ id: string; activeSession: { id: string; status: SessionStatus } | null }> | null } }[]
  }
}
interface Page<Node> {
  edges: { node: Node }[]
}

const document = `{
  servers(first: 20) { edges { node { deployments(first: 200) { edges { node { id activeSession { id status } } } } } } }
}`

/** Keeps the board as the graph shows it, as a console with its pages open does; an answer that fails is asked for again. */
export const keepUpToDate = (client: GraphqlClient, board: Board) => {
  let isClosing = false
  const look = async (): Promise<void> => {
    const { data, errors } = await withTimeout(
      client.request<Fleet, never>(document),
      answerLimitMs,
      () => new Error('no answer in time'),
    )
    if (!data || errors.length > 0) return
    for (const { node } of data.servers.edges.flatMap(({ node }) => node.deployments?.edges ?? [])) {
      if (node.activeSession) board.note(node.id, node.activeSession.id, node.activeSession.status)
      else board.noteNone(node.id)
    }
  }
  const run = async (): Promise<void> => {
    while (!isClosing) {
      await look().catch(() => undefined) // the door is away, as was intended
      await delay(everyMs)
    }
  }
  const running = run()
  return {
    close: async (): Promise<void> => {
      isClosing = true
      await running
    },
  }
}
