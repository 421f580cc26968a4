import type { Home } from '../home.ts'
import type { Progress } from '../progress.ts'
import { countRunningGames } from '../services/docker.ts'
import { enrolledServerId } from './door.ts'
import type { Parts } from './parts.ts'

const hostLimitMs = 15_000
const controlPlaneLimitMs = 20_000
/** npm passes a Ctrl-C on to us that the terminal has sent us already: two within this time are one. */
const sameSignalMs = 1_000

/**
 * Ends what `up` started, those who use a thing before the thing: host agent, control plane, RabbitMQ, PostgreSQL. Games
 * and Docker go on. `hurry` shortens every wait; what is killed that way loses nothing, it only starts slower.
 */
export const stopInOrder = async (parts: Parts, home: Home, progress: Progress, hurry: AbortSignal): Promise<void> => {
  const { host, controlPlane, rabbit, postgres } = parts
  const limit = (ms: number): number => (hurry.aborted ? 500 : ms)
  progress.note('')
  await progress.step('host agent stopped', () => host.stop(limit(hostLimitMs)))
  await progress.step('control plane stopped', () => controlPlane.stop(limit(controlPlaneLimitMs)))
  for (const service of [rabbit, postgres]) {
    if (service.isOurs) await progress.step(`${service.name} stopped`, service.stop)
  }
  const serverId = enrolledServerId(home.hostDir)
  const games = serverId === undefined ? 0 : await countRunningGames(parts.docker.socket, serverId)
  if (games > 0)
    progress.note(
      `\n  ${games === 1 ? '1 game goes' : `${games} games go`} on running. The next start finds ${games === 1 ? 'it' : 'them'} again.`,
    )
}

/** Calls `first` at the first SIGINT, SIGTERM or SIGHUP, and `again` at each later one. */
export const onStopSignals = (first: (signal: NodeJS.Signals) => void, again: () => void): void => {
  let lastAt = 0
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const isEcho = Date.now() - lastAt < sameSignalMs
      lastAt = Date.now()
      if (isEcho) return
      if (stopping) again()
      else first(signal)
      stopping = true
    })
  }
}
