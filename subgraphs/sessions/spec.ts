import type { refDeployment, refServer } from '../../lib/db/refs.ts'
import { renderArgs } from '../../lib/domain/argv.ts'
import type { ConfigFile, InstallStep, ParameterDefinition } from '../../lib/domain/game-config.ts'
import { type BuiltIns, builtInValues, renderTemplate } from '../../lib/domain/template.ts'
import type { FileValue, PortBinding, SessionSpec } from '../../lib/messages/session-spec.ts'
import { hideSecrets, secretMark } from '../../lib/parameters/secrets.ts'
import { type Settings, sealSecrets } from './settings.ts'

type Found<Read extends (...args: never[]) => Promise<unknown>> = NonNullable<Awaited<ReturnType<Read>>>

export type DeploymentToRun = Found<typeof refDeployment>
export type ServerToRunOn = Pick<Found<typeof refServer>, 'name' | 'publicKey'>

/**
 * Everything the host needs to run a session of this deployment now, with every template rendered but those of files. Templates
 * were checked when they were saved.
 */
export const buildSpec = (deployment: DeploymentToRun, server: ServerToRunOn, settings: Settings): SessionSpec => {
  const config = deployment.gameConfig
  // Written by the configs subgraph alone, in these shapes.
  const resources = limitsOf(config.resources, deployment.resources)
  const ports = deployment.ports as PortBinding[]
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
  return {
    ...game,
    image,
    pullPolicy: 'IF_MISSING',
    entrypoint,
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
