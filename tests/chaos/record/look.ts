import { isPortFree } from '../../../cli/services/state-file.ts'
import { run } from '../../support/images/docker-cli.ts'
import { asSuperuser } from '../../support/template.ts'
import type { Look, PortRow, SeenContainer, SessionRow } from '../evidence.ts'
import { rowOf } from './audit.ts'

interface Inspected {
  Id: string
  State: { Running: boolean }
  Config: { Labels: Record<string, string> }
  HostConfig: { PortBindings: Record<string, { HostPort: string }[] | null> | null }
}

/** The containers of one environment, running or not. */
const lookAtContainers = async (environment: string): Promise<SeenContainer[]> => {
  const filter = ['--filter', `label=manman.env=${environment}`]
  const ids = (await run('docker', ['ps', '--all', '--quiet', '--no-trunc', ...filter])).split('\n').filter(Boolean)
  if (ids.length === 0) return []
  // One that is removed in this moment is missing in the answer and fails the command.
  const text = await run('docker', ['inspect', ...ids]).catch((error: { stdout?: string }) => error.stdout ?? '[]')
  return (JSON.parse(text) as Inspected[]).map(({ Id, State, Config, HostConfig }) => ({
    containerId: Id,
    sessionId: Config.Labels['manman.session_id'] ?? '',
    deploymentId: Config.Labels['manman.sgc_id'] ?? '',
    serverId: Config.Labels['manman.server_id'] ?? '',
    isRunning: State.Running,
    hostPorts: Object.values(HostConfig.PortBindings ?? {}).flatMap((bindings) =>
      (bindings ?? []).map(({ HostPort }) => Number(HostPort)),
    ),
  }))
}

const lookAtNetworks = async (environment: string): Promise<Look['networks']> => {
  const format = '{{.Name}} {{.Label "manman.session_id"}}'
  const text = await run('docker', ['network', 'ls', '--format', format, '--filter', `label=manman.env=${environment}`])
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [name = '', sessionId = ''] = line.split(' ')
      return { name, sessionId }
    })
}

const lookAtRows = (databaseUrl: string): Promise<Pick<Look, 'sessions' | 'ports' | 'openOperations' | 'unsentMessages'>> =>
  asSuperuser(databaseUrl, async (client) => {
    const sessions = await client.query<{ row: SessionRow }>(`SELECT ${rowOf('s')} AS row FROM sessions.sessions s ORDER BY id`)
    const ports = await client.query<PortRow>(
      `SELECT server_id AS "serverId", port, protocol, server_game_config_id AS "deploymentId" FROM configs.server_ports`,
    )
    const operations = await client.query<Look['openOperations'][number]>(
      `SELECT server_game_config_id AS "deploymentId", subject_id AS "subjectId"
       FROM operations.deployment_operations WHERE closed_at IS NULL`,
    )
    const unsent = await client.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM outbox.messages WHERE sent_at IS NULL',
    )
    return {
      sessions: sessions.rows.map(({ row }) => row),
      ports: ports.rows,
      openOperations: operations.rows,
      unsentMessages: unsent.rows[0]!.count,
    }
  })

/** Everything there is to see now, in Docker, in the database and on the machine's ports. */
export const lookAround = async (given: {
  environment: string
  databaseUrl: string
  hostPorts: readonly number[]
}): Promise<Look> => {
  const [containers, networks, rows, free] = await Promise.all([
    lookAtContainers(given.environment),
    lookAtNetworks(given.environment),
    lookAtRows(given.databaseUrl),
    Promise.all(given.hostPorts.map((port) => isPortFree(port, '0.0.0.0'))),
  ])
  return { atMs: Date.now(), containers, networks, ...rows, listening: given.hostPorts.filter((_, index) => !free[index]) }
}
