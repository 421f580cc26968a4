import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import { requirePermission } from '../../lib/db/access.ts'
import type { Database } from '../../lib/db/connect.ts'
import { refGameConfig, refServer } from '../../lib/db/refs.ts'
import { inTransaction, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, Denied, type InputIssue, ManManError, NotFound, PortTaken } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { type InputCheck, makeInputCheck } from '../../lib/domain/inputs.ts'
import { type Access, fullAccess, mayByRole } from '../../lib/domain/permissions.ts'
import { anyAddress, type PortBinding } from '../../lib/domain/ports.ts'
import { fileDiff, secretToken } from '../../lib/files/diff.ts'
import { renderFile } from '../../lib/files/files.ts'
import type { SessionSpec } from '../../lib/messages/session-spec.ts'
import { type ParameterValue, parseValues } from '../../lib/parameters/values.ts'
import { buildSpec, shownSpec } from '../../lib/spec/build.ts'
import { settleWith } from '../../lib/spec/settings.ts'
import { type DeployGameConfigInput, matchPorts, parseDeployment } from './deployment-input.ts'
import { checkLinks } from './deployment-links.ts'
import { freeName } from './deployment-name.ts'
import { type Deployment, deploymentsById, namesOnServer } from './deployment-store.ts'
import { keepValues } from './deployment-values.ts'
import { refuseOperatorFields } from './operator-fields.ts'
import { bindingsOfDeployments } from './port-store.ts'
import { allocate, rangeOf } from './ports.ts'
import { gameConfigsById } from './store.ts'

export interface FilePreview {
  path: string
  exists: boolean
  /** Null when there is too much to be shown. */
  diff: string | null
}

export interface Preview {
  /** What keeps it from being deployed, or its session from starting. */
  issues: readonly InputIssue[]
  ports: readonly PortBinding[]
  parameters: readonly ParameterValue[]
  spec: Omit<SessionSpec, 'secrets'>
  files: readonly FilePreview[]
  /** Why the files are not compared with what the game has. */
  filesNote: string | null
}

type AskHost = (
  serverId: string,
  body: { serverGameConfigId: string; spec: Pick<SessionSpec, 'files' | 'values' | 'secrets'> },
) => Promise<{ files: FilePreview[] | null }>

export interface PreviewDeps {
  db: Database
  newId: () => string
  secrets: SecretBox
  /** Rejects where no host answers. */
  previewFiles: AskHost
}

/**
 * What a deployment, or a change of the one named, would run: as the rules of deploying and starting have it, and nothing is
 * kept. Throws `NotFound`, `Denied` for who may not, and nothing else that a person can put right: that is told as an issue.
 */
export const makePreview =
  (deps: PreviewDeps) =>
  async (input: DeployGameConfigInput, deploymentId: string | null, access: Access): Promise<Preview> => {
    await refuseOthers(deps.db, input, deploymentId, access)
    const made = await inTransaction(deps.db, (tx) => prepare(tx, deps, input, deploymentId))
    const { spec, secretNames, id, serverId } = made
    const shown = { ...made.preview, spec: shownSpec(spec) }
    const { files, values, secrets } = spec
    if (deploymentId !== null && files.length > 0) {
      try {
        const answer = await deps.previewFiles(serverId, { serverGameConfigId: id, spec: { files, values, secrets } })
        if (answer.files) return { ...shown, files: answer.files, filesNote: null }
      } catch (error) {
        if (!(error instanceof ManManError)) throw error
        return { ...shown, files: fresh(spec, secretNames), filesNote: `Shown as new files: ${error.message}` }
      }
    }
    return { ...shown, files: fresh(spec, secretNames), filesNote: files.length > 0 ? 'The deployment has no files yet.' : null }
  }

/** By FILES on the deployment one sees it where it is, as what it is, with what CONFIGURE changes; all else is for OPERATORs. */
const refuseOthers = async (
  db: Database,
  input: DeployGameConfigInput,
  deploymentId: string | null,
  access: Access,
): Promise<void> => {
  if (deploymentId !== null) await requirePermission(db, access, 'deployment', deploymentId, 'FILES')
  if (mayByRole(access, 'OPERATOR')) return
  if (deploymentId === null) throw new Denied('Only an OPERATOR sees what a new deployment would be. Name one that is there.')
  refuseOperatorFields(access, 'deployment', input)
  const [known] = await deploymentsById(db, [deploymentId], access)
  if (known?.serverId !== String(input.serverId) || known.gameConfigId !== String(input.gameConfigId))
    throw new Denied('Only an OPERATOR sees what the deployment would be on another server, or with another config.')
}

const prepare = async (tx: Transaction, deps: PreviewDeps, input: DeployGameConfigInput, deploymentId: string | null) => {
  const [serverId, gameConfigId] = [String(input.serverId), String(input.gameConfigId)]
  const server = isUuid(serverId) ? await refServer(tx, serverId) : undefined
  if (!server) throw new NotFound('server', serverId)
  const row = isUuid(gameConfigId) ? await refGameConfig(tx, gameConfigId) : undefined
  const [config] = row ? await gameConfigsById(tx, [gameConfigId], fullAccess) : []
  if (!row || !config) throw new NotFound('game config', gameConfigId)
  const known = deploymentId === null ? undefined : await present(tx, deploymentId)
  const id = known?.id ?? deps.newId()
  const check = makeInputCheck()
  const parsed = parseDeployment(check, input)
  const current = known ? ((await bindingsOfDeployments(tx, [id])).get(id) ?? []) : []
  const requests = matchPorts(check, config.ports, parsed.portBindings, current)
  const given = parseValues(check, input.parameters, config.parameters)
  const links = input.links === undefined ? (known?.links ?? []) : parsed.links
  await checkLinks(tx, check, { id, serverId, links }, config)
  const ports = await freePorts(check, () => allocate(tx, { id, serverId, requests, range: rangeOf(server.portRange) }, config))
  const deployment = {
    id,
    name: parsed.name ?? known?.name ?? freeName(config.name, await namesOnServer(tx, serverId)),
    resources: input.resources === undefined ? (known?.resources ?? null) : parsed.resources,
    ...keepValues(
      deps.secrets,
      { id, parameters: known?.parameters ?? {}, secrets: known?.secrets ?? {} },
      given,
      config.parameters,
    ),
    // Templates name ports that none could be found for, too.
    ports: ports.length > 0 ? ports : config.ports.map((port) => ({ ...port, hostPort: 0, bindAddress: anyAddress })),
    links,
    gameConfig: row,
  }
  const settings = settleWith(check, deps.secrets, deployment, id, { input: null })
  const spec = buildSpec(deployment, server, settings)
  const preview = { issues: check.issues, ports, parameters: settings.values }
  return { id, serverId, spec, secretNames: [...settings.secrets.keys()], preview }
}

const present = async (tx: Transaction, id: string): Promise<Deployment> => {
  const [known] = isUuid(id) ? await deploymentsById(tx, [id], fullAccess) : []
  if (!known || known.deletedAt) throw new NotFound('deployment', id)
  return known
}

const freePorts = async (check: InputCheck, work: () => Promise<PortBinding[]>): Promise<PortBinding[]> => {
  try {
    return check.issues.length > 0 ? [] : await work()
  } catch (error) {
    if (!(error instanceof PortTaken || error instanceof Conflict)) throw error
    check.refuse('portBindings', error.message)
    return []
  }
}

/** As they are where nothing is there yet. */
const fresh = ({ files, values }: SessionSpec, secretNames: readonly string[]): FilePreview[] => {
  const hidden = secretNames.map((name) => [name, { text: secretToken, kind: 'text' }] as const)
  const known = new Map([...Object.entries(values), ...hidden])
  return files.map((file) => ({
    path: file.path,
    exists: false,
    diff: fileDiff(file.path, null, renderFile(file, known, null), []),
  }))
}
