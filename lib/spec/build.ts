import { renderArgs } from '../domain/argv.ts'
import type { ConfigFile, InstallStep, ParameterDefinition } from '../domain/game-config.ts'
import { type BuiltIns, builtInValues, renderTemplate } from '../domain/template.ts'
import type { FileValue, PortBinding, SessionSpec } from '../messages/session-spec.ts'
import { hideSecrets, secretMark } from '../parameters/secrets.ts'
import { type Settings, sealSecrets } from './settings.ts'

/** A row of configs.game_configs, as far as it says how a game is run. Written by the configs subgraph alone. */
export interface ConfigRow {
  image: string
  pull_policy: string
  entrypoint: string[] | null
  command: string[] | null
  args_template: string | null
  env_template: unknown
  container_user: string | null
  working_dir: string | null
  tty: boolean
  capabilities: string[]
  read_only_rootfs: boolean
  host_network: boolean
  volume_path: string
  volumes: unknown
  resources: unknown
  stop: unknown
  ready_pattern: string | null
  ready_timeout_seconds: number | null
  watchdog: unknown
  files: unknown
  parameters: unknown
  install: unknown
}

/** A deployment with the config it runs and the ports it has. */
export interface DeploymentToRun {
  id: string
  name: string
  /** Limits of its own, or null. */
  resources: unknown
  /** Values by name; secret ones encrypted. */
  parameters: unknown
  secrets: unknown
  ports: readonly unknown[]
  /** Other deployments of its server that its game reaches by name. */
  links: unknown
  gameConfig: ConfigRow
}

export interface ServerToRunOn {
  name: string
  publicKey: string | null
}

/**
 * Everything the host needs to run a session of this deployment now, with every template rendered but those of files. Templates
 * were checked when they were saved.
 */
export const buildSpec = (deployment: DeploymentToRun, server: ServerToRunOn, settings: Settings): SessionSpec => {
  const config = deployment.gameConfig
  // Written by the configs subgraph alone, in these shapes.
  const resources = limitsOf(config.resources, deployment.resources)
  const ports = [...deployment.ports] as PortBinding[]
  const files = config.files as unknown as ConfigFile[]
  const builtIns: BuiltIns = {
    serverName: server.name,
    deploymentId: deployment.id,
    deploymentName: deployment.name,
    memoryMb: resources.memoryMb,
    ports,
  }
  const secrets = sealSecrets(settings.secrets, { deploymentId: deployment.id, server })
  const values = new Map([...builtInValues(builtIns), ...settings.plain])
  if (secrets) for (const name of settings.secrets.keys()) values.set(name, secretMark(secrets, name))
  return {
    image: config.image,
    pullPolicy: config.pull_policy as SessionSpec['pullPolicy'],
    entrypoint: config.entrypoint,
    command: config.args_template === null ? config.command : renderArgs(config.args_template, values),
    env: mapValues(config.env_template as Record<string, string>, (template) => renderTemplate(template, values)),
    user: config.container_user,
    workingDir: config.working_dir,
    tty: config.tty,
    capabilities: config.capabilities,
    readOnlyRootfs: config.read_only_rootfs,
    volumePath: config.volume_path,
    volumes: config.volumes as SessionSpec['volumes'],
    ports,
    hostNetwork: config.host_network,
    links: deployment.links as SessionSpec['links'],
    resources,
    stop: config.stop as SessionSpec['stop'],
    readyPattern: config.ready_pattern,
    readyTimeoutSeconds: config.ready_timeout_seconds,
    watchdog: config.watchdog as SessionSpec['watchdog'],
    files,
    values: knownValues(builtIns, settings, config.parameters as unknown as ParameterDefinition[]),
    secrets,
    timeoutSeconds: null,
  }
}

/**
 * The install step: another image with the deployment's own volume and the game's environment. Nobody talks to it, and it ends
 * by itself.
 */
export const buildInstallSpec = (game: SessionSpec, step: unknown): SessionSpec => {
  // Written by the configs subgraph alone, in this shape.
  const { image, script, entrypoint, volumePath, user, capabilities, timeoutSeconds } = step as InstallStep
  // Of the game's image, as its user is.
  const { HOME: _home, USER: _user, ...env } = game.env
  return {
    ...game,
    image,
    pullPolicy: 'IF_MISSING',
    entrypoint,
    env,
    command: [script],
    user,
    workingDir: null,
    tty: false,
    capabilities,
    readOnlyRootfs: false,
    volumePath,
    volumes: [],
    ports: [],
    hostNetwork: false,
    links: [],
    stop: { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: installGraceSeconds },
    readyPattern: null,
    readyTimeoutSeconds: null,
    watchdog: null,
    files: [],
    values: {},
    timeoutSeconds,
  }
}

const installGraceSeconds = 10

/** What people see of a spec: secrets hidden, and not how they travel. */
export const shownSpec = (spec: SessionSpec): Omit<SessionSpec, 'secrets'> => {
  const { secrets, ...shown } = spec
  if (!secrets) return shown
  const hide = (text: string): string => hideSecrets(secrets, text)
  return { ...shown, env: mapValues(shown.env, hide), command: shown.command?.map(hide) ?? null }
}

const limitsOf = (config: unknown, own: unknown): SessionSpec['resources'] => {
  const given = Object.entries((own as SessionSpec['resources'] | null) ?? {}).filter(([, limit]) => limit !== null)
  return { ...(config as SessionSpec['resources']), ...Object.fromEntries(given) }
}

const numbers = new Set(['INT', 'FLOAT'])

/** Names of the platform and plain parameters, with how a file's format writes them. */
const knownValues = (
  builtIns: BuiltIns,
  { plain }: Settings,
  definitions: readonly ParameterDefinition[],
): Record<string, FileValue> => {
  const types = new Map(definitions.map(({ name, type }) => [name, type]))
  const kindOf = (name: string, text: string): FileValue['kind'] => {
    if (text === '') return 'text'
    const type = types.get(name) ?? ''
    if (numbers.has(type) || name === 'memoryMb' || name.startsWith('port.')) return 'number'
    return type === 'BOOL' ? 'boolean' : 'text'
  }
  const all = [...builtInValues(builtIns), ...plain]
  return Object.fromEntries(all.map(([name, text]) => [name, { text, kind: kindOf(name, text) }]))
}

const mapValues = (object: Record<string, string>, map: (value: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))
