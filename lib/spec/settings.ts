import { randomBytes } from 'node:crypto'
import { CannotDecrypt } from '../crypto/errors.ts'
import { type KeptSecrets, keepSecrets, openSecrets } from '../crypto/kept-secrets.ts'
import { seal } from '../crypto/sealed-box.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import { Unavailable } from '../domain/errors.ts'
import type { ParameterDefinition } from '../domain/game-config.ts'
import { type InputCheck, makeInputCheck } from '../domain/inputs.ts'
import type { SessionSpec } from '../messages/session-spec.ts'
import { deploymentOwner, secretsContext, sessionOwner } from '../parameters/secrets.ts'
import { type ParameterValue, parseValues, type Resolved, resolveParameters } from '../parameters/values.ts'
import type { DeploymentToRun } from './build.ts'

/** What was given for one session alone, as its row keeps it. */
export interface OwnSettings {
  parameters: Record<string, string>
  secrets: KeptSecrets
}

/** From where a session to come gets values of its own: what somebody sends, or the session it continues. */
export type SettingsSource = { input: unknown } | { sessionId: string; own: OwnSettings }

export interface Settings extends Resolved {
  values: ParameterValue[]
  own: OwnSettings
}

/**
 * The value of each parameter for the session `id`. Throws `Invalid` with everything that keeps it from starting, `Unavailable`
 * when a secret can't be read.
 */
export const settle = (box: SecretBox, deployment: DeploymentToRun, id: string, source: SettingsSource): Settings => {
  const check = makeInputCheck()
  const settings = settleWith(check, box, deployment, id, source)
  check.throwIfAny()
  return settings
}

/** The same where faults are told with others. */
export const settleWith = (
  check: InputCheck,
  box: SecretBox,
  deployment: Pick<DeploymentToRun, 'id' | 'parameters' | 'secrets' | 'gameConfig'>,
  id: string,
  source: SettingsSource,
): Settings => {
  // Written by the configs subgraph alone, in these shapes.
  const definitions = deployment.gameConfig.parameters as unknown as ParameterDefinition[]
  const session = 'input' in source ? parseValues(check, source.input, definitions) : inherited(box, source)
  const resolved = resolveParameters(check, { definitions, deployment: valuesOf(box, deployment), session })
  const types = new Map(definitions.map(({ name, type }) => [name, type]))
  const given = [...session].flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  const isSecret = ([name]: readonly [string, string]): boolean => types.get(name) === 'SECRET'
  const own = {
    parameters: Object.fromEntries(given.filter((one) => !isSecret(one))),
    secrets: readable(() => keepSecrets(box, sessionOwner(id), new Map(given.filter(isSecret)))),
  }
  return { ...resolved, own }
}

const inherited = (box: SecretBox, { sessionId, own }: { sessionId: string; own: OwnSettings }): Map<string, string> =>
  new Map([...Object.entries(own.parameters), ...readable(() => openSecrets(box, sessionOwner(sessionId), own.secrets))])

const valuesOf = (
  box: SecretBox,
  { id, parameters, secrets }: Pick<DeploymentToRun, 'id' | 'parameters' | 'secrets'>,
): Map<string, string> =>
  new Map([
    ...Object.entries(parameters as Record<string, string>),
    ...readable(() => openSecrets(box, deploymentOwner(id), secrets as unknown as KeptSecrets)),
  ])

const readable = <T>(work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CannotDecrypt)) throw error
    throw new Unavailable(`A secret of this deployment can not be read: ${error.message}`, { cause: error })
  }
}

/** The secrets as a spec carries them: readable by the host alone. */
export const sealSecrets = (
  secrets: ReadonlyMap<string, string>,
  to: { deploymentId: string; server: { name: string; publicKey: string | null } },
): SessionSpec['secrets'] => {
  if (secrets.size === 0) return null
  try {
    const text = JSON.stringify(Object.fromEntries(secrets))
    const sealed = seal(to.server.publicKey ?? '', text, secretsContext(to.deploymentId))
    return { nonce: randomBytes(nonceBytes).toString('hex'), sealed }
  } catch (error) {
    if (!(error instanceof CannotDecrypt)) throw error
    throw new Unavailable(`The secrets can not be given to ${to.server.name}: ${error.message}`, { cause: error })
  }
}

const nonceBytes = 12
