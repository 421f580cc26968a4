import { pickPorts } from '../../cli/services/state-file.ts'
import type { ProgramOptions } from './stack-program.ts'

/** The control plane's programs, in the order they may start in; the last one has the door. */
export interface ControlPlane {
  programs: Omit<ProgramOptions, 'dir'>[]
  /** Of the gateway, without a path. */
  address: string
  /** Where each subgraph is served, past the gateway; empty when all are in its process. */
  subgraphs: Record<string, string>
}

export interface ControlPlaneSettings {
  databaseUrl: string
  amqpUrl: string
  /** Without it hosts share one user of the broker. */
  amqpManagementUrl?: string
  environment: string
  adminToken: string
  internalKey: string
  /** Where objects are kept. */
  objectsDir: string
}

export type Topology = 'one' | 'many'

const subgraphNames = ['servers', 'configs', 'sessions', 'backups', 'accounts']

/** `one`: everything in one process. `many`: each deployable in its own, over HTTP, WebSocket and AMQP. */
export const planControlPlane = (topology: Topology, settings: ControlPlaneSettings): Promise<ControlPlane> =>
  topology === 'one' ? planOne(settings) : planMany(settings)

const sharedEnv = (settings: ControlPlaneSettings): Record<string, string> => ({
  DATABASE_URL: settings.databaseUrl,
  AMQP_URL: settings.amqpUrl,
  ...(settings.amqpManagementUrl && { MANMAN_AMQP_MANAGEMENT_URL: settings.amqpManagementUrl }),
  MANMAN_ENV: settings.environment,
  MANMAN_INTERNAL_KEY: settings.internalKey,
  MANMAN_SECRET_KEY: settings.internalKey,
  MANMAN_OBJECTS_DIR: settings.objectsDir,
  LOG_LEVEL: 'debug',
})

const planOne = async (settings: ControlPlaneSettings): Promise<ControlPlane> => {
  const [port] = await pickPorts(1)
  const env = { ...sharedEnv(settings), MANMAN_ADMIN_TOKEN: settings.adminToken, PORT: String(port) }
  const address = `http://127.0.0.1:${port}`
  return {
    programs: [{ name: 'control-plane', words: ['control-plane'], env, readyUrl: `${address}/readyz` }],
    address,
    subgraphs: {},
  }
}

const planMany = async (settings: ControlPlaneSettings): Promise<ControlPlane> => {
  const ports = (await pickPorts(7)).map(String)
  const addressOf = (index: number): string => `http://127.0.0.1:${ports[index]}`
  const program = (name: string, words: string[], index: number, env: Record<string, string> = {}) => ({
    name,
    words,
    env: { ...sharedEnv(settings), PORT: ports[index]!, ...env },
    readyUrl: `${addressOf(index)}/readyz`,
  })
  const subgraphs = Object.fromEntries(subgraphNames.map((name, index) => [name, `${addressOf(index)}/graphql`]))
  const gatewayEnv = {
    MANMAN_ADMIN_TOKEN: settings.adminToken,
    SUBGRAPHS: Object.entries(subgraphs)
      .map(([name, url]) => `${name}=${url}`)
      .join(','),
  }
  return {
    programs: [
      ...subgraphNames.map((name, index) => program(name, ['subgraph', name], index)),
      program('processor', ['processor'], 5),
      program('gateway', ['gateway'], 6, gatewayEnv),
    ],
    address: addressOf(6),
    subgraphs,
  }
}
