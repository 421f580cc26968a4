import type { TakenPort } from './errors.ts'
import {
  addressesOverlap,
  type HeldPort,
  maxPort,
  type PortBinding,
  type PortDefinition,
  type PortRange,
  type PortRequest,
  type Protocol,
} from './ports.ts'

/** Where a port stands in its row of consecutive numbers. */
interface Place {
  /** The first of the row: itself, when it follows none. */
  leader: PortDefinition
  offset: number
}

const placesOf = (definitions: readonly PortDefinition[]): Map<string, Place> => {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]))
  const placeOf = (definition: PortDefinition, offset: number): Place => {
    const next = definition.follows == null ? undefined : byName.get(definition.follows)
    // No row is longer than all ports: who follows himself, by whatever way round, leads.
    return next && offset < definitions.length ? placeOf(next, offset + 1) : { leader: definition, offset }
  }
  return new Map(definitions.map((definition) => [definition.name, placeOf(definition, 0)]))
}

/** A port that follows, in the end, itself. */
export const followsItself = (definition: PortDefinition, definitions: readonly PortDefinition[]): boolean =>
  placesOf(definitions).get(definition.name)?.offset === definitions.length

/**
 * The requests with the numbers that follow from those given: of a row of consecutive ports one number makes them all.
 * `fault` hears of numbers that don't fit together, by the name of the port.
 */
export const withFollowers = (
  definitions: readonly PortDefinition[],
  requests: ReadonlyMap<string, PortRequest>,
  fault: (name: string, message: string) => void,
): Map<string, PortRequest> => {
  const places = placesOf(definitions)
  const settled = new Map(requests)
  const isRow = (leader: string): boolean =>
    definitions.some(({ name }) => name !== leader && places.get(name)?.leader.name === leader)
  const starts = new Map<string, number>()
  for (const { name } of definitions) {
    const { leader, offset } = places.get(name)!
    const hostPort = requests.get(name)?.hostPort ?? null
    if (hostPort === null || !isRow(leader.name)) continue
    const start = starts.get(leader.name)
    if (start === undefined) starts.set(leader.name, hostPort - offset)
    else if (start + offset !== hostPort)
      fault(name, `must be ${start + offset}, as the game takes consecutive ports from ${leader.name} on`)
  }
  for (const { name } of definitions) {
    const { leader, offset } = places.get(name)!
    const start = starts.get(leader.name)
    if (start === undefined) continue
    const hostPort = start + offset
    if (hostPort < 1 || hostPort > maxPort) fault(name, `would be ${hostPort}, which is no port`)
    settled.set(name, { ...settled.get(name)!, hostPort })
  }
  return settled
}

/** The names of the row that `name` is in, itself included. */
export const rowOf = (definitions: readonly PortDefinition[], name: string): string[] => {
  const places = placesOf(definitions)
  const leader = places.get(name)?.leader.name
  return definitions.flatMap((one) => (places.get(one.name)?.leader.name === leader ? [one.name] : []))
}

export type Allocation =
  | { kind: 'allocated'; bindings: PortBinding[] }
  /** Ports asked for by number that others hold; nothing was allocated. */
  | { kind: 'taken'; taken: TakenPort[] }
  /** Names of declared ports for which the range has no free number left. */
  | { kind: 'exhausted'; names: string[] }

/**
 * Finds a host port for every declared port, all or none. A number asked for is taken as it is, inside the range or not;
 * the others get the lowest free number of the range. Declared ports with one container port (a game's TCP and UDP side)
 * get one number together, as games announce a single one; one that follows another gets the next number, also where that is
 * to be picked (where it is known, `withFollowers` has given it). TCP and UDP never conflict.
 */
export const allocatePorts = (options: {
  definitions: readonly PortDefinition[]
  /** One for each definition. */
  requests: ReadonlyMap<string, PortRequest>
  range: PortRange
  held: readonly HeldPort[]
}): Allocation => {
  const places = placesOf(options.definitions)
  const wanted = options.definitions.map((definition) => ({
    definition,
    request: options.requests.get(definition.name)!,
    ...places.get(definition.name)!,
  }))
  const given = wanted.filter(({ request }) => request.hostPort !== null)
  const taken = given.flatMap(({ definition, request }) => takenBy(options.held, definition, request))
  if (taken.length > 0) return { kind: 'taken', taken }

  const occupied = makeOccupied(options.held)
  const numbers = new Map<string, number>()
  const assign = ({ definition, request }: Wanted, port: number): void => {
    occupied.add(port, definition.protocol, request.bindAddress)
    numbers.set(definition.name, port)
  }
  for (const one of given) assign(one, one.request.hostPort!)
  const exhausted: string[] = []
  for (const group of groupsToPick(wanted)) {
    const mate = given.find(({ definition }) => definition.containerPort === group[0]!.leader.containerPort)
    const port = pickPort(group, { range: options.range, first: mate?.request.hostPort ?? null, occupied })
    if (port === undefined) exhausted.push(...group.map(({ definition }) => definition.name))
    else for (const one of group) assign(one, port + one.offset)
  }
  if (exhausted.length > 0) return { kind: 'exhausted', names: exhausted }
  return { kind: 'allocated', bindings: wanted.map((one) => toBinding(one, numbers.get(one.definition.name)!)) }
}

interface Wanted extends Place {
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
    const group = groups.get(one.leader.containerPort) ?? []
    groups.set(one.leader.containerPort, [...group, one])
  }
  return [...groups.values()]
}

const pickPort = (
  group: readonly Wanted[],
  options: { range: PortRange; first: number | null; occupied: Occupied },
): number | undefined => {
  const isFree = (port: number): boolean =>
    group.every(
      ({ definition, request, offset }) => !options.occupied.has(port + offset, definition.protocol, request.bindAddress),
    )
  if (options.first !== null && isFree(options.first)) return options.first
  const last = options.range.to - Math.max(...group.map(({ offset }) => offset))
  for (let port = options.range.from; port <= last; port++) if (isFree(port)) return port
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
