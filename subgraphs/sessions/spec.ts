import type { refDeployment, refServer } from '../../lib/db/refs.ts'
import { renderArgs, UnbalancedQuotes } from '../../lib/domain/argv.ts'
import { Conflict } from '../../lib/domain/errors.ts'
import { builtInValues, renderTemplate } from '../../lib/domain/template.ts'
import type { PortBinding, SessionSpec } from '../../lib/messages/session-spec.ts'

type Found<Read extends (...args: never[]) => Promise<unknown>> = NonNullable<Awaited<ReturnType<Read>>>

export type DeploymentToRun = Found<typeof refDeployment>
export type ServerToRunOn = Pick<Found<typeof refServer>, 'name'>

/**
 * Everything the host needs to run a session of this deployment now, with every template rendered. Templates were checked
 * when they were saved; a machine renamed since can still make arguments unreadable, which is a `Conflict`.
 */
export const buildSpec = (deployment: DeploymentToRun, server: ServerToRunOn): SessionSpec => {
  const config = deployment.gameConfig
  // Written by the configs subgraph alone, in these shapes.
  const resources = config.resources as SessionSpec['resources']
  const ports = deployment.ports as PortBinding[]
  const values = builtInValues({
    serverName: server.name,
    deploymentId: deployment.id,
    deploymentName: deployment.name,
    memoryMb: resources.memoryMb,
    ports,
  })
  return {
    image: config.image,
    pullPolicy: config.pull_policy as SessionSpec['pullPolicy'],
    entrypoint: config.entrypoint,
    command: config.args_template === null ? config.command : renderArguments(config.args_template, values),
    env: mapValues(config.env_template as Record<string, string>, (template) => renderTemplate(template, values)),
    user: config.container_user,
    workingDir: config.working_dir,
    tty: config.tty,
    capabilities: config.capabilities,
    readOnlyRootfs: config.read_only_rootfs,
    volumePath: config.volume_path,
    volumes: config.volumes as SessionSpec['volumes'],
    ports,
    resources,
    stop: config.stop as SessionSpec['stop'],
    readyPattern: config.ready_pattern,
    readyTimeoutSeconds: config.ready_timeout_seconds,
    watchdog: config.watchdog as SessionSpec['watchdog'],
  }
}

const renderArguments = (template: string, values: ReadonlyMap<string, string>): string[] => {
  try {
    return renderArgs(template, values)
  } catch (error) {
    if (!(error instanceof UnbalancedQuotes)) throw error
    throw new Conflict(`The arguments can not be read with the names as they are now: the text ${error.message}.`, {
      cause: error,
    })
  }
}

const mapValues = (object: Record<string, string>, map: (value: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))
