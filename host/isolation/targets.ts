/** Addresses that games are let through to, or kept from. */
export interface Target {
  /** `a.b.c.d/bits`, as iptables prints it. */
  network: string
  /** Null for all ports. */
  port: number | null
}

const shape = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?(?::(\d{1,5}))?$/

/** `10.0.0.5`, `10.0.0.0/24`, `10.0.0.5:3306`, `10.0.0.5/32:3306`; null when it is none of these. */
export const parseTarget = (text: string): Target | null => {
  const match = shape.exec(text)
  if (match === null) return null
  const bytes = match.slice(1, 5).map(Number)
  const bits = Number(match[5] ?? 32)
  const port = match[6] === undefined ? null : Number(match[6])
  if (bytes.some((byte) => byte > 255) || bits > 32 || port === 0 || (port ?? 0) > 65_535) return null
  return { network: `${masked(bytes, bits)}/${bits}`, port }
}

/** The network's first address: the firewall keeps no other. */
const masked = (bytes: readonly number[], bits: number): string =>
  bytes.map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8)))).join('.')

/** Several, separated by commas or spaces; what can't be read comes back as it is. */
export const parseTargets = (text: string): { targets: Target[]; unread: string[] } => {
  const words = text.split(/[\s,]+/).filter(Boolean)
  const read = words.map((word) => ({ word, target: parseTarget(word) }))
  return {
    targets: read.flatMap(({ target }) => target ?? []),
    unread: read.filter(({ target }) => target === null).map(({ word }) => word),
  }
}
