import { isIP } from 'node:net'
import type { ActionDraft } from '../../lib/domain/game-config.ts'
import { duplicates, type InputCheck } from '../../lib/domain/inputs.ts'
import { rowOf, withFollowers } from '../../lib/domain/port-allocation.ts'
import { addressesOverlap, anyAddress, maxPort, type PortDefinition, type PortRequest } from '../../lib/domain/ports.ts'
import type { RestartPolicy } from '../../lib/domain/restart-policy.ts'
import type { DeploymentLink, SessionSpec } from '../../lib/messages/session-spec.ts'
import { type DeploymentLinkInput, parseLinks } from './deployment-links.ts'
import { parseRestartPolicy, type RestartPolicyInput } from './life-input.ts'
import { parseResources, type ResourcesInput } from './resources-input.ts'

export interface DeployGameConfigInput extends UpdateServerGameConfigInput {
  serverId: string | number
  gameConfigId: string | number
}

export interface UpdateServerGameConfigInput {
  name?: string | null
  portBindings?: readonly PortBindingInput[] | null
  restartPolicy?: RestartPolicyInput | null
  startPriority?: number | null
  /** Values by name; null takes one back. */
  parameters?: unknown
  /** What is null in it is as the config says. */
  resources?: ResourcesInput | null
  /** Beside those of its config and game; of those with one name these count. */
  actions?: readonly ActionDraft[] | null
  /** All of them. */
  links?: readonly DeploymentLinkInput[] | null
}

export interface PortBindingInput {
  name: string
  hostPort?: number | null
  bindAddress?: string | null
}

/** A binding as it was asked for; null is left open. */
export interface GivenBinding {
  name: string
  hostPort: number | null
  bindAddress: string | null
}

const maxBindings = 64
const defaultPriority = 100
const maxPriority = 1_000

export interface ParsedDeployment {
  name: string | null
  portBindings: GivenBinding[]
  restartPolicy: RestartPolicy
  startPriority: number
  resources: SessionSpec['resources'] | null
  /** Whom they name is not known yet. */
  links: DeploymentLink[]
}

/** What can be checked without knowing the config. */
export const parseDeployment = (check: InputCheck, input: UpdateServerGameConfigInput): ParsedDeployment => {
  if (input.name != null) check.name('name', input.name)
  const portBindings = parseBindings(check, input.portBindings ?? [])
  const restartPolicy = parseRestartPolicy(check, input.restartPolicy)
  const startPriority = input.startPriority ?? defaultPriority
  check.integer('startPriority', startPriority, 0, maxPriority)
  const resources = input.resources == null ? null : parseResources(check, input.resources)
  const links = parseLinks(check, input.links ?? [])
  return { name: input.name ?? null, portBindings, restartPolicy, startPriority, resources, links }
}

const parseBindings = (check: InputCheck, all: readonly PortBindingInput[]): GivenBinding[] => {
  if (all.length > maxBindings) check.refuse('portBindings', `must not have more than ${maxBindings} entries`)
  const given = all.slice(0, maxBindings)
  const names = duplicates(given, ({ name }) => name)
  return given.map((binding, index) => {
    const path = `portBindings.${index}`
    const bindAddress = binding.bindAddress == null ? null : canonicalAddress(binding.bindAddress)
    if (names.has(binding.name)) check.refuse(`${path}.name`, 'is bound more than once')
    if (binding.hostPort != null) check.integer(`${path}.hostPort`, binding.hostPort, 1, maxPort)
    if (bindAddress === undefined) check.refuse(`${path}.bindAddress`, 'must be an IP address of the machine')
    return { name: binding.name, hostPort: binding.hostPort ?? null, bindAddress: bindAddress ?? null }
  })
}

/**
 * One request for each declared port: as `given`, else as the deployment has it in `current`, else for the platform to pick.
 * A binding of no declared port, and two that want one number, are faults.
 */
export const matchPorts = (
  check: InputCheck,
  definitions: readonly PortDefinition[],
  given: readonly GivenBinding[],
  current: readonly (PortRequest & Pick<PortDefinition, 'protocol'>)[] = [],
): Map<string, PortRequest> => {
  const declared = new Map(definitions.map((definition) => [definition.name, definition]))
  // The same name with another protocol is another port.
  const had = new Map(
    current.filter(({ name, protocol }) => declared.get(name)?.protocol === protocol).map((one) => [one.name, one]),
  )
  const wanted = given.map(({ name, hostPort, bindAddress }) => ({
    name,
    hostPort: hostPort ?? had.get(name)?.hostPort ?? null,
    bindAddress: bindAddress ?? had.get(name)?.bindAddress ?? anyAddress,
  }))
  // Of consecutive ports one number makes them all: what is given for one is for the others, too.
  const names = new Set(given.flatMap(({ name, hostPort }) => (hostPort === null ? [name] : [name, ...rowOf(definitions, name)])))
  const kept = [...had.values()].filter(({ name }) => !names.has(name))
  for (const [index, binding] of wanted.entries()) {
    const definition = declared.get(binding.name)
    if (!definition) {
      const known = [...declared.keys()].join(', ') || 'none'
      check.refuse(`portBindings.${index}.name`, `is not a port of the game config (it declares: ${known})`)
      continue
    }
    const clash = [...kept, ...wanted.slice(0, index)].find((other) => {
      const sameProtocol = declared.get(other.name)?.protocol === definition.protocol
      const samePort = other.hostPort !== null && other.hostPort === binding.hostPort
      return sameProtocol && samePort && addressesOverlap(other.bindAddress, binding.bindAddress)
    })
    if (clash) check.refuse(`portBindings.${index}.hostPort`, `is the port of ${clash.name} too`)
  }
  const requests = new Map([...kept, ...wanted].map(({ name, hostPort, bindAddress }) => [name, { name, hostPort, bindAddress }]))
  const pick = (name: string): PortRequest => ({ name, hostPort: null, bindAddress: had.get(name)?.bindAddress ?? anyAddress })
  const all = new Map(definitions.map(({ name }) => [name, requests.get(name) ?? pick(name)]))
  return withFollowers(definitions, all, (name, message) => {
    const index = given.findIndex((one) => one.name === name)
    check.refuse(index === -1 ? `ports.${name}` : `portBindings.${index}.hostPort`, message)
  })
}

/** The form in which PostgreSQL writes it, so that equal addresses are equal text; undefined when it is no address. */
const canonicalAddress = (address: string): string | undefined => {
  if (isIP(address) === 4) return address
  if (isIP(address) !== 6 || address.includes('%')) return undefined
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}
