import { keepSecrets } from '../../lib/crypto/kept-secrets.ts'
import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import type { ParameterDefinition } from '../../lib/domain/game-config.ts'
import { deploymentOwner } from '../../lib/parameters/secrets.ts'
import type { GivenValues, ParameterValue } from '../../lib/parameters/values.ts'
import type { Deployment } from './deployment-store.ts'

type Values = Pick<Deployment, 'parameters' | 'secrets'>

/**
 * The values of a deployment with those that were `given`; null takes one back. Secrets are kept encrypted, apart from the
 * others, and what the config does not declare any more is dropped.
 */
export const keepValues = (
  box: SecretBox,
  known: Values & { id: string },
  given: GivenValues,
  definitions: readonly ParameterDefinition[],
): Values => {
  const types = new Map(definitions.map(({ name, type }) => [name, type]))
  const isStill =
    (secret: boolean) =>
    ([name]: [string, unknown]): boolean =>
      types.has(name) && (types.get(name) === 'SECRET') === secret && !given.has(name)
  const set = [...given].flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  const fresh = new Map(set.filter(([name, value]) => types.get(name) === 'SECRET' && value !== ''))
  return {
    parameters: {
      ...Object.fromEntries(Object.entries(known.parameters).filter(isStill(false))),
      ...Object.fromEntries(set.filter(([name]) => types.get(name) !== 'SECRET')),
    },
    secrets: {
      ...Object.fromEntries(Object.entries(known.secrets).filter(isStill(true))),
      ...keepSecrets(box, deploymentOwner(known.id), fresh),
    },
  }
}

/** What people see of a deployment's values: where a session begins with it, before anything is given for that one. */
export const shownValues = ({ parameters, secrets }: Values, definitions: readonly ParameterDefinition[]): ParameterValue[] =>
  definitions.map(({ name, type, default: standard }) => {
    if (type === 'SECRET') return { name, value: null, source: name in secrets ? 'DEPLOYMENT' : 'NONE' }
    const own = parameters[name]
    if (own !== undefined) return { name, value: own, source: 'DEPLOYMENT' }
    return { name, value: standard, source: standard === null ? 'NONE' : 'DEFAULT' }
  })
