export const protocols = ['TCP', 'UDP'] as const
export type Protocol = (typeof protocols)[number]

/** A port as a game config declares it. */
export interface PortDefinition {
  name: string
  containerPort: number
  protocol: Protocol
  /** The game listens on the very number that players use: inside the container the port is the host port. */
  sameInside: boolean
  /** Name of a port of which this one is always the next number. */
  follows?: string | null
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
