import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { ContainerEvent } from '../evidence.ts'

interface DockerEvent {
  Action: string
  timeNano: number
  Actor: { ID: string; Attributes: Record<string, string> }
}

const actions = new Set(['create', 'start', 'die', 'destroy'])

/** Follows what Docker says of the containers of one environment: the witness that is not ours. */
export const recordContainerEvents = (environment: string) => {
  const events: ContainerEvent[] = []
  const filters = ['type=container', `label=manman.env=${environment}`].flatMap((filter) => ['--filter', filter])
  const docker = spawn('docker', ['events', '--format', '{{json .}}', ...filters], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => docker.once('close', () => resolve()))
  createInterface({ input: docker.stdout }).on('line', (line) => {
    const { Action, timeNano, Actor } = JSON.parse(line) as DockerEvent
    if (!actions.has(Action)) return
    const labels = Actor.Attributes
    events.push({
      atMs: Math.floor(timeNano / 1e6),
      action: Action as ContainerEvent['action'],
      containerId: Actor.ID,
      sessionId: labels['manman.session_id'] ?? '',
      deploymentId: labels['manman.sgc_id'] ?? '',
      serverId: labels['manman.server_id'] ?? '',
      exitCode: labels.exitCode === undefined ? null : Number(labels.exitCode),
    })
  })
  return {
    events: (): ContainerEvent[] => events,
    close: async (): Promise<void> => {
      docker.kill()
      await ended
    },
  }
}
