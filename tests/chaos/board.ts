import { isTerminal, type SessionStatus } from '../../lib/domain/session-states.ts'

interface KnownSession {
  id: string
  status: SessionStatus
}

/** What a client knows from what it was shown: which sessions there are, and how they are. */
export const makeBoard = (deploymentIds: readonly string[]) => {
  const sessions = new Map<string, Map<string, KnownSession>>(deploymentIds.map((id) => [id, new Map()]))

  const latest = (deploymentId: string): KnownSession | undefined => [...(sessions.get(deploymentId)?.values() ?? [])].at(-1)

  return {
    note: (deploymentId: string, id: string, status: SessionStatus): void => {
      const known = sessions.get(deploymentId)
      const before = known?.get(id)
      if (!known || (before && isTerminal(before.status))) return
      known.set(id, { id, status })
      // Only the last few can be of interest to a client.
      if (known.size > 5) known.delete([...known.keys()][0]!)
    },
    /** The graph says that nothing lives in this deployment: what was thought to has ended, unnoticed. */
    noteNone: (deploymentId: string): void => {
      const known = latest(deploymentId)
      if (known && !isTerminal(known.status)) known.status = 'STOPPED'
    },
    latest,
    /** The deployment that fits, from the `target`th on; else just that one. */
    pick: (
      target: number,
      fits: (session: KnownSession | undefined) => boolean,
    ): { deploymentId: string; session?: KnownSession } => {
      const first = target % deploymentIds.length
      const inOrder = [...deploymentIds.slice(first), ...deploymentIds.slice(0, first)]
      const deploymentId = inOrder.find((id) => fits(latest(id))) ?? inOrder[0]!
      return { deploymentId, session: latest(deploymentId) }
    },
  }
}

export type Board = ReturnType<typeof makeBoard>
