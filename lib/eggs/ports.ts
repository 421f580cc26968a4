import type { PortDraft } from '../domain/game-config.ts'
import { maxPort } from '../domain/ports.ts'
import type { Rule } from './rules.ts'

/** The pair that stands for an egg's default allocation. */
export const mainPort = 'game'
const defaultMainPort = 25_565
/** Of our own checks: entries of a list. */
const maxPorts = 64

/** `text` as a port's number. */
export const portNumber = (text: string | null | undefined): number | undefined => {
  const number = /^\d{1,5}$/.test(text?.trim() ?? '') ? Number(text) : 0
  return number >= 1 && number <= maxPort ? number : undefined
}

/** Words that end so and mean no port, ports of other machines, and the ends of a range, whose numbers belong together. */
const otherWords = /(SUPPORT|REPORT|TRANSPORT|IMPORT|EXPORT|VIEWPORT|PASSPORT|AIRPORT|TELEPORT)$/
const elsewhere =
  /(^|_)(DB|DATABASE|MYSQL|MARIADB|POSTGRES|POSTGRESQL|PG|REDIS|MONGO|MONGODB|SQL|SMTP|MAIL|PROXY|REMOTE)_?(HOST_?)?PORT$/
const rangeEnds = /(^|_)(START|STARTING|BEGIN|END|ENDING|MIN|MAX|FIRST|LAST)_?PORT/

/** True for a variable in which operators of that panel type the number of one more allocation. */
export const isPortVariable = (name: string, rules: readonly Rule[], value: string | null | undefined): boolean => {
  const upper = name.toUpperCase()
  const named = /PORT$|(^|_)PORT_/.test(upper) && ![otherWords, elsewhere, rangeEnds].some((pattern) => pattern.test(upper))
  return named && portNumber(value) !== undefined && !rules.some((rule) => ['in', 'boolean', 'url'].includes(rule.name))
}

/** The ports of one config: the main pair, and a pair for each variable that is one. */
export const makePorts = (main: { containerPort: number | undefined; sameInside: boolean }) => {
  const ports: PortDraft[] = []
  const addPair = (name: string, containerPort: number, sameInside: boolean): void => {
    ports.push({ name, containerPort, protocol: 'TCP', sameInside })
    ports.push({ name: `${name}-udp`, containerPort, protocol: 'UDP', sameInside })
  }
  addPair(mainPort, main.containerPort ?? defaultMainPort, main.sameInside)
  return {
    ports: ports as readonly PortDraft[],
    /** Declares the port of the variable `name`; answers its name, or undefined when there are too many. */
    add: (name: string, wanted: number): string | undefined => {
      if (ports.length + 2 > maxPorts) return undefined
      const slug = freeName(slugOf(name), ports)
      addPair(slug, freeNumber(wanted, ports), true)
      return slug
    },
  }
}

const slugOf = (name: string): string => {
  const slug = name.toLowerCase().replaceAll('_', '-').slice(0, 40)
  return /^[a-z]/.test(slug) ? slug : `port${slug}`
}

const freeName = (wanted: string, ports: readonly PortDraft[]): string => {
  const taken = new Set(ports.map((port) => port.name))
  let name = wanted
  for (let count = 2; taken.has(name) || taken.has(`${name}-udp`); count++) name = `${wanted}-${count}`
  return name
}

/** Ports of one number are picked together, so each pair has its own; inside, the game gets the number outside anyway. */
const freeNumber = (wanted: number, ports: readonly PortDraft[]): number => {
  const taken = new Set(ports.map((port) => port.containerPort))
  let number = wanted
  while (taken.has(number)) number = number === maxPort ? 1 : number + 1
  return number
}

/** The number in a command line that says it itself, as `-port=7777` does. */
export const literalPort = (startup: string): number | undefined =>
  portNumber(/(?:^|[\s"'?])[-+]*(?:server)?port[=\s]+"?(\d{2,5})(?!\d)/i.exec(startup)?.[1])
