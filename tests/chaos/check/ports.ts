import { type Evidence, type Look, outcomeOf } from '../evidence.ts'
import { groupBy, isFinal } from './lives.ts'

/** A port belongs to one deployment: in the database, in what clients were told, and on the machine. */
export const portsHaveOneOwner = ({ operations, ended, settled }: Evidence): string[] => {
  const rows = groupBy(ended.ports, ({ serverId, port, protocol }) => `${serverId} ${port}/${protocol}`)
  const heldTwice = [...rows].flatMap(([port, owners]) => (owners.length > 1 ? [`port ${port} has ${owners.length} owners`] : []))
  const races = groupBy(
    operations.filter(({ kind }) => kind === 'deploy-race'),
    ({ port }) => String(port),
  )
  const promisedTwice = [...races].flatMap(([port, records]) => {
    const [accepted = 0, possible = 0] = [['accepted'], ['accepted', 'unknown']].map(
      (outcomes) => records.filter((record) => outcomes.includes(outcomeOf(record))).length,
    )
    const held = ended.ports.filter((row) => row.port === Number(port)).length
    if (accepted > 1) return [`port ${port} was promised to ${accepted} deployments`]
    return held < accepted || held > possible ? [`port ${port} is held ${held} times, after ${accepted} promises of it`] : []
  })
  const bound = groupBy(
    settled.containers.filter(({ isRunning }) => isRunning).flatMap(({ hostPorts }) => hostPorts),
    String,
  )
  const boundTwice = [...bound].flatMap(([port, { length }]) => (length > 1 ? [`${length} containers have port ${port}`] : []))
  return [...heldTwice, ...promisedTwice, ...boundTwice]
}

/** Only what runs holds its deployment and listens, and on that deployment's ports. */
export const nothingIsLeaked = ({ settled, ended, deployments }: Evidence): string[] => {
  const portOf = new Map(deployments.map(({ id, hostPort }) => [id, hostPort]))
  const running = settled.containers.filter(({ isRunning }) => isRunning)
  const elsewhere = running.flatMap(({ deploymentId, hostPorts }) => {
    const port = portOf.get(deploymentId)
    return port === undefined || hostPorts.includes(port) ? [] : [`deployment ${deploymentId} is not on its port ${port}`]
  })
  const used = new Set(running.flatMap(({ hostPorts }) => hostPorts))
  return [
    ...elsewhere,
    ...settled.listening.filter((port) => !used.has(port)).map((port) => `once settled, nothing runs and port ${port} is taken`),
    ...ended.listening.map((port) => `at the end, port ${port} is still taken`),
    ...heldOperations(settled, 'once settled'),
    ...heldOperations(ended, 'at the end'),
  ]
}

const heldOperations = (look: Look, when: string): string[] => {
  const active = look.sessions.filter((row) => !isFinal(row) && row.waits_for === null)
  const holders = new Set(look.openOperations.map(({ subjectId }) => subjectId))
  const live = new Set(active.map(({ id }) => id))
  return [
    ...look.openOperations
      .filter(({ subjectId }) => !live.has(subjectId))
      .map(({ deploymentId, subjectId }) => `${when}, ended session ${subjectId} holds deployment ${deploymentId}`),
    ...active.filter(({ id }) => !holders.has(id)).map(({ id }) => `${when}, live session ${id} does not hold its deployment`),
  ]
}
