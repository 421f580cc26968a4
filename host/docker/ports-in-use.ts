import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { PortBinding } from '../../lib/messages/session-spec.ts'

/** A port something on this machine listens on. */
export interface Listener {
  protocol: 'TCP' | 'UDP'
  port: number
  /** Dotted for IPv4; `::` for every address of IPv6; other IPv6 addresses as the kernel's hex. */
  address: string
  /** Of its socket, by which the program that has it is found. */
  inode: number
}

const anyV6 = '::'
const zeroV6 = '0'.repeat(32)
const mappedV4 = '0000000000000000FFFF0000'
const tcpListen = '0A'
/** A UDP socket that is connected to one peer does not keep others from the port. */
const udpUnconnected = '07'

const dotted = (hex: string): string => [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.')

const addressOf = (hex: string): string => {
  if (hex.length === 8) return dotted(hex)
  if (hex === zeroV6) return anyV6
  return hex.startsWith(mappedV4) ? dotted(hex.slice(mappedV4.length)) : hex
}

/** The listening sockets in the text of /proc/net/{tcp,tcp6,udp,udp6}. */
export const parseListeners = (text: string, protocol: Listener['protocol']): Listener[] => {
  const listening = protocol === 'TCP' ? tcpListen : udpUnconnected
  return text.split('\n').flatMap((line) => {
    // sl, local and remote address, state, queues, timer, retransmits, uid, timeout, inode
    const match = /^\s*\d+:\s+([0-9A-F]+):([0-9A-F]{4})\s+\S+\s+([0-9A-F]{2})(?:\s+\S+){5}\s+(\d+)/.exec(line)
    if (match?.[3] !== listening) return []
    return [{ protocol, address: addressOf(match[1]!), port: Number.parseInt(match[2]!, 16), inode: Number(match[4]) }]
  })
}

const isEvery = (address: string): boolean => address === '0.0.0.0' || address === anyV6

/** True when a container could not bind the port because of the listener. IPv6's `::` takes the port on IPv4 as well. */
const clashes = (port: PortBinding, listener: Listener): boolean =>
  port.protocol === listener.protocol &&
  port.hostPort === listener.port &&
  (isEvery(port.bindAddress) || isEvery(listener.address) || port.bindAddress === listener.address)

/** The first of `ports` that something already listens on, and what does; null when all are free. */
export const findTakenPort = (
  ports: readonly PortBinding[],
  listeners: readonly Listener[],
): { port: PortBinding; listener: Listener } | null => {
  for (const port of ports) {
    const listener = listeners.find((one) => clashes(port, one))
    if (listener) return { port, listener }
  }
  return null
}

const files = [
  ['tcp', 'TCP'],
  ['tcp6', 'TCP'],
  ['udp', 'UDP'],
  ['udp6', 'UDP'],
] as const

const readOrEmpty = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/**
 * Everything that listens in this process's network namespace: the machine's, unless the agent runs in a container
 * without its network, where only Docker's own refusal tells. A file that is not there (no IPv6) has no listeners.
 */
export const readListeners = async (procNet = '/proc/self/net'): Promise<Listener[]> => {
  const lists = await Promise.all(
    files.map(async ([name, protocol]) => {
      return parseListeners(await readOrEmpty(path.join(procNet, name)), protocol)
    }),
  )
  return lists.flat()
}
