import type { Evidence, Look } from '../evidence.ts'

/** What a run has left of one server, as if there had been no other. */
export const sliceOf = (evidence: Evidence, serverId: string): Evidence => {
  const deployments = evidence.deployments.filter((deployment) => deployment.serverId === serverId)
  const deploymentIds = new Set(deployments.map(({ id }) => id))
  const containers = new Set(evidence.containerEvents.filter(isHere(serverId)).map(({ containerId }) => containerId.slice(0, 12)))
  const sessions = new Set(evidence.ended.sessions.filter((row) => row.server_id === serverId).map(({ id }) => id))
  const ports = new Set(deployments.map(({ hostPort }) => hostPort))
  const look = (whole: Look): Look => ({
    ...whole,
    containers: whole.containers.filter(isHere(serverId)),
    networks: whole.networks.filter(({ sessionId }) => sessions.has(sessionId)),
    sessions: whole.sessions.filter(({ id }) => sessions.has(id)),
    ports: whole.ports.filter(isHere(serverId)),
    openOperations: whole.openOperations.filter(({ deploymentId }) => deploymentIds.has(deploymentId)),
    listening: whole.listening.filter((port) => ports.has(port)),
  })
  return {
    deployments,
    operations: evidence.operations.filter(({ deploymentId }) => deploymentId !== null && deploymentIds.has(deploymentId)),
    faults: evidence.faults.filter((fault) => fault.serverId === serverId),
    containerEvents: evidence.containerEvents.filter(isHere(serverId)),
    changes: evidence.changes.filter(({ sessionId }) => sessions.has(sessionId)),
    history: evidence.history.filter(({ id }) => sessions.has(id)),
    seen: evidence.seen.filter(({ sessionId }) => sessions.has(sessionId)),
    games: evidence.games.filter(({ containerId }) => containers.has(containerId)),
    unaskedEnds: evidence.unaskedEnds,
    settled: look(evidence.settled),
    ended: look(evidence.ended),
  }
}

const isHere =
  (serverId: string) =>
  (thing: { serverId: string }): boolean =>
    thing.serverId === serverId
