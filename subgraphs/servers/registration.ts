import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { type PortRange, parsePortRange } from '../../lib/domain/ports.ts'
import type { Server } from './store.ts'

export interface RegisterServerInput {
  name: string
  environment?: string | null
  labels?: unknown
  publicAddress?: string | null
  portRange?: string | null
}

/** The environment stays: volumes on the machine carry its name. */
export type UpdateServerInput = Partial<{
  [Key in keyof Omit<RegisterServerInput, 'environment'>]: RegisterServerInput[Key] | null
}>

export interface Registration {
  name: string
  environment: string
  labels: Record<string, string>
  publicAddress: string | null
  portRange: PortRange | null
}

/** As the database has it for servers that name none. */
const defaultPortRange: PortRange = { from: 20_000, to: 29_999 }
const maxLabelBytes = 16 * 1024
const maxHostLength = 253

/** Checks what a new machine is said to be; throws `Invalid` with every fault. */
export const parseRegistration = (input: RegisterServerInput, defaultEnvironment: string): Registration => {
  const check = makeInputCheck()
  const name = check.name('name', input.name)
  const environment = input.environment ?? defaultEnvironment
  // It becomes part of paths and labels on the machine.
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$/.test(environment))
    check.refuse('environment', 'must be 1 to 50 letters, digits, - or _, and begin with a letter or digit')
  const publicAddress = input.publicAddress ?? null
  if (publicAddress !== null && (publicAddress.length > maxHostLength || !hostPattern.test(publicAddress)))
    check.refuse('publicAddress', 'must be a host name or an IP address, without a port')
  const portRange = input.portRange == null ? null : parsePortRange(input.portRange)
  if (portRange === undefined) check.refuse('portRange', 'must be two ports like 20000-29999, the lower first')
  const labels = input.labels == null ? {} : check.object('labels', input.labels, maxLabelBytes)
  for (const [key, value] of Object.entries(labels ?? {}))
    if (typeof value !== 'string') check.refuse(`labels.${key.slice(0, 60)}`, 'must be text')
  check.throwIfAny()
  return { name: name!, environment, publicAddress, portRange: portRange ?? null, labels: labels as Record<string, string> }
}

/** The server as `input` changes it: what is left out stays, null takes the default, or for the name stays too. */
export const parseServerUpdate = (known: Server, input: UpdateServerInput): Registration & { portRange: PortRange } => {
  const { environment, labels, publicAddress } = known
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
  const portRange = `${known.firstPort}-${known.lastPort}`
  const merged = { labels, publicAddress, portRange, ...given, name: input.name ?? known.name, environment }
  const parsed = parseRegistration(merged, environment)
  return { ...parsed, portRange: parsed.portRange ?? defaultPortRange }
}

/** A host name, IPv4 address, or IPv6 address without brackets. */
const hostPattern =
  /^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$|^(?=.*:.*:)[0-9A-Fa-f:.]{2,45}$/
