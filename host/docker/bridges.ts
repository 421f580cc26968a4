import { createHash } from 'node:crypto'

const keyLength = 5

/**
 * What the bridges of an agent's networks begin with, so that the machine's firewall knows them. Linux has fifteen characters for
 * a name; eight are left for each bridge.
 */
export const bridgePrefix = (serverId: string): string => {
  const digits = BigInt(`0x${createHash('sha256').update(serverId).digest('hex')}`).toString(36)
  return `mm${digits.slice(-keyLength)}`
}
