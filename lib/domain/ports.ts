import type { TakenPort } from './errors.ts'

export const protocols = ['TCP', 'UDP'] as const
export type Protocol = (typeof protocols)[number]

/** A port as a game config declares it. */
export interface PortDefinition {
  name: string
  containerPort: number
  protocol: Protocol
  /** The game listens on the very number that players use: inside the container the port is the host port. */
  sameInside: boolean
}

/** How one declared port is wanted on the machine; without `hostPort` the platform picks. */
export interface PortRequest {
  name: string
  hostPort: number | null
  bindAddress: string
}

/** A declared port bound on the machine. */
export interface PortBinding {
  name: string
  containerPort: number
  hostPort: number
  protocol: Protocol
  bindAddress: string
}

/** A port of the machine that a deployment holds. */
export interface HeldPort {
  port: number
  protocol: Protocol
  address: string
  serverGameConfigId: string
}

/** First and last port, both included. */
export interface PortRange {
  from: number
  to: number
}

export const anyAddress = '0.0.0.0'
export const maxPort = 65_535

/** Reads `20000-29999`; undefined when it is no range of ports. */
export const parsePortRange = (text: string): PortRange | undefined => {
  const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(text.trim()) ?? []
  const range = { from: Number(from), to: Number(to) }
  return range.from >= 1 && range.from <= range.to && range.to <= maxPort ? range : undefined
}

const isIpv6 = (address: string): boolean => address.includes(':')
const isAny = (address: string): boolean => address === anyAddress || address === '::'

/** True when one socket can't listen on both: equal, or one is all addresses of its family. */
export const addressesOverlap = (a: string, b: string): boolean => isIpv6(a) === isIpv6(b) && (a === b || isAny(a) || isAny(b))

export type Allocation =
  | { kind: 'allocated'; bindings: PortBinding[] }
  /** Ports asked for by number that others hold; nothing was allocated. */
  | { kind: 'taken'; taken: TakenPort[] }
  /** Names of declared ports for which the range has no free number left. */
  | { kind: 'exhausted'; names: string[] }

/**
 * Finds a host port for every declared port, all or none. A number asked for is taken as it is, inside the range or not;
 * the others get the lowest free number of the range. Declared ports with one container port (a game's TCP and UDP side)
 * get one number together, as games announce a single one. TCP and UDP never conflict.
 */
export const allocatePorts = (options: {
  definitions: readonly PortDefinition[]
  /** One for each definition. */
  requests: ReadonlyMap<string, PortRequest>
  range: PortRange
  held: readonly HeldPort[]
}): Allocation => {
  const wanted = options.definitions.map((definition) => ({ definition, request: options.requests.get(definition.name)! }))
  const given = wanted.filter(({ request }) => request.hostPort !== null)
  const taken = given.flatMap(({ definition, request }) => takenBy(options.held, definition, request))
  if (taken.length > 0) return { kind: 'taken', taken }

  const occupied = makeOccupied(options.held)
  const numbers = new Map<string, number>()
  const assign = (items: readonly Wanted[], port: number): void => {
    for (const { definition, request } of items) {
      occupied.add(port, definition.protocol, request.bindAddress)
      numbers.set(definition.name, port)
    }
  }
  for (const one of given) assign([one], one.request.hostPort!)
  const exhausted: string[] = []
  for (const group of groupsToPick(wanted)) {
    const mate = given.find(({ definition }) => definition.containerPort === group[0]!.definition.containerPort)
    const port = pickPort(group, { range: options.range, first: mate?.request.hostPort ?? null, occupied })
    if (port === undefined) exhausted.push(...group.map(({ definition }) => definition.name))
    else assign(group, port)
  }
  if (exhausted.length > 0) return { kind: 'exhausted', names: exhausted }
  return { kind: 'allocated', bindings: wanted.map((one) => toBinding(one, numbers.get(one.definition.name)!)) }
}

interface Wanted {
  definition: PortDefinition
  request: PortRequest
}

const takenBy = (held: readonly HeldPort[], { protocol }: PortDefinition, request: PortRequest): TakenPort[] => {
  const holder = held.find(
    (one) => one.port === request.hostPort && one.protocol === protocol && addressesOverlap(one.address, request.bindAddress),
  )
  return holder ? [{ port: holder.port, protocol, serverGameConfigId: holder.serverGameConfigId }] : []
}

const groupsToPick = (wanted: readonly Wanted[]): Wanted[][] => {
  const groups = new Map<number, Wanted[]>()
  for (const one of wanted) {
    if (one.request.hostPort !== null) continue
    const group = groups.get(one.definition.containerPort) ?? []
    groups.set(one.definition.containerPort, [...group, one])
  }
  return [...groups.values()]
}

const pickPort = (
  group: readonly Wanted[],
  options: { range: PortRange; first: number | null; occupied: Occupied },
): number | undefined => {
  const isFree = (port: number): boolean =>
    group.every(({ definition, request }) => !options.occupied.has(port, definition.protocol, request.bindAddress))
  if (options.first !== null && isFree(options.first)) return options.first
  for (let port = options.range.from; port <= options.range.to; port++) if (isFree(port)) return port
  return undefined
}

type Occupied = ReturnType<typeof makeOccupied>

const makeOccupied = (held: readonly HeldPort[]) => {
  const addresses = new Map<string, string[]>()
  const add = (port: number, protocol: Protocol, address: string): void => {
    const key = `${port}/${protocol}`
    addresses.set(key, [...(addresses.get(key) ?? []), address])
  }
  for (const one of held) add(one.port, one.protocol, one.address)
  return {
    add,
    has: (port: number, protocol: Protocol, address: string): boolean =>
      addresses.get(`${port}/${protocol}`)?.some((other) => addressesOverlap(other, address)) ?? false,
  }
}

const toBinding = ({ definition, request }: Wanted, hostPort: number): PortBinding => ({
  name: definition.name,
  containerPort: definition.sameInside ? hostPort : definition.containerPort,
  hostPort,
  protocol: definition.protocol,
  bindAddress: request.bindAddress,
})

/**
 * What a player types to join, or null when nobody told the machine's address. A binding on one address of the machine is
 * reached there, unless the outside can't see that address.
 */
export const connectAddress = (publicAddress: string | null, bindings: readonly PortBinding[]): string | null => {
  const binding = bindings.find(({ name }) => name === 'game') ?? bindings[0]
  if (!binding) return null
  const address = isAny(binding.bindAddress) || isPrivate(binding.bindAddress) ? publicAddress : binding.bindAddress
  if (address === null) return null
  return `${isIpv6(address) ? `[${address}]` : address}:${binding.hostPort}`
}

/** RFC 1918, RFC 6598, loopback, link-local; unique local addresses of IPv6. */
const isPrivate = (address: string): boolean =>
  /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(address) ||
  /^(::1$|f[cd]|fe[89ab])/i.test(address)
