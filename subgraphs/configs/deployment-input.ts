import { isIP } from 'node:net'
import { Invalid } from '../../lib/domain/errors.ts'
import { duplicates, makeInputCheck, maxNameLength } from '../../lib/domain/inputs.ts'
import { addressesOverlap, anyAddress, maxPort, type PortDefinition, type PortRequest } from '../../lib/domain/ports.ts'
import type { RestartPolicy } from '../../lib/domain/restart-policy.ts'

import { parseRestartPolicy, type RestartPolicyInput } from './life-input.ts'

export interface DeployGameConfigInput {
  serverId: string | number
  gameConfigId: string | number
  name?: string | null
  portBindings?: readonly PortBindingInput[] | null
  restartPolicy?: RestartPolicyInput | null
  startPriority?: number | null
}

export interface PortBindingInput {
  name: string
  hostPort?: number | null
  bindAddress?: string | null
}

const maxBindings = 64
const defaultPriority = 100
const maxPriority = 1_000

interface ParsedDeployment {
  name: string | null
  portBindings: PortRequest[]
  restartPolicy: RestartPolicy
  startPriority: number
}

/** What can be checked without knowing the config; throws `Invalid` with every fault. */
export const parseDeployment = (input: DeployGameConfigInput): ParsedDeployment => {
  const check = makeInputCheck()
  if (input.name != null) check.name('name', input.name)
  const all = input.portBindings ?? []
  if (all.length > maxBindings) check.refuse('portBindings', `must not have more than ${maxBindings} entries`)
  const given = all.slice(0, maxBindings)
  const names = duplicates(given, ({ name }) => name)
  const portBindings = given.map((binding, index) => {
    const path = `portBindings.${index}`
    const bindAddress = canonicalAddress(binding.bindAddress ?? anyAddress)
    if (names.has(binding.name)) check.refuse(`${path}.name`, 'is bound more than once')
    if (binding.hostPort != null) check.integer(`${path}.hostPort`, binding.hostPort, 1, maxPort)
    if (bindAddress === undefined) check.refuse(`${path}.bindAddress`, 'must be an IP address of the machine')
    return { name: binding.name, hostPort: binding.hostPort ?? null, bindAddress: bindAddress ?? anyAddress }
  })
  const restartPolicy = parseRestartPolicy(check, input.restartPolicy)
  const startPriority = input.startPriority ?? defaultPriority
  check.integer('startPriority', startPriority, 0, maxPriority)
  check.throwIfAny()
  return { name: input.name ?? null, portBindings, restartPolicy, startPriority }
}

/** `base`, or the first of `base 2`, `base 3` … that is not taken, whatever its case. Cut where it would be too long. */
export const freeName = (base: string, taken: readonly string[]): string => {
  const known = new Set(taken.map((name) => name.toLowerCase()))
  let name = base
  for (let number = 2; known.has(name.toLowerCase()); number++) {
    const suffix = ` ${number}`
    name = [...base].slice(0, maxNameLength - suffix.length).join('') + suffix
  }
  return name
}

/** One request for each declared port; throws `Invalid` for a binding of none, and for two that want one number. */
export const matchPorts = (definitions: readonly PortDefinition[], given: readonly PortRequest[]): Map<string, PortRequest> => {
  const declared = new Map(definitions.map((definition) => [definition.name, definition]))
  const issues = given.flatMap((binding, index) => {
    const definition = declared.get(binding.name)
    if (!definition) {
      const known = [...declared.keys()].join(', ') || 'none'
      return [{ path: `portBindings.${index}.name`, message: `is not a port of the game config (it declares: ${known})` }]
    }
    const clash = given.slice(0, index).find((other) => {
      const sameProtocol = declared.get(other.name)?.protocol === definition.protocol
      const samePort = other.hostPort !== null && other.hostPort === binding.hostPort
      return sameProtocol && samePort && addressesOverlap(other.bindAddress, binding.bindAddress)
    })
    return clash ? [{ path: `portBindings.${index}.hostPort`, message: `is the port of ${clash.name} too` }] : []
  })
  if (issues.length > 0) throw new Invalid(issues)
  const requests = new Map(given.map((binding) => [binding.name, binding]))
  const pick = (name: string): PortRequest => ({ name, hostPort: null, bindAddress: anyAddress })
  return new Map(definitions.map(({ name }) => [name, requests.get(name) ?? pick(name)]))
}

/** The form in which PostgreSQL writes it, so that equal addresses are equal text; undefined when it is no address. */
const canonicalAddress = (address: string): string | undefined => {
  if (isIP(address) === 4) return address
  if (isIP(address) !== 6 || address.includes('%')) return undefined
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}
