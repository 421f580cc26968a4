import { lookup } from 'node:dns/promises'
import { extname, join } from 'node:path'
import { z } from 'zod'
import { Unavailable } from '../lib/domain/errors.ts'
import type { Logger } from '../lib/process/logger.ts'
import { bridgePrefix } from './docker/bridges.ts'
import type { Docker } from './docker/docker.ts'
import type { MachineHelper } from './docker/machine-helper.ts'
import type { Vitals } from './heartbeat.ts'
import { type FirewallOutcome, type FirewallTask, outcomeMark, setFirewall } from './isolation/firewall.ts'
import { parseTarget, type Target } from './isolation/targets.ts'

/** What operators say of it. */
export interface IsolationSettings {
  on: boolean
  allow: Target[]
  deny: Target[]
}

/** Someone else may empty the machine's firewall at any time. */
const ownMs = 60_000
/** With a container for each look. */
const helpedMs = 300_000
const defaultPorts: Record<string, string> = { 'amqp:': '5672', 'amqps:': '5671' }
const outcomeSchema = z.union([z.object({ changed: z.boolean() }), z.object({ fault: z.string() })])

/**
 * Keeps the machine's firewall between games and what is not theirs (docs/decisions/0018): at once, whenever `look` is called,
 * and every minute (5 minutes from a container), one look at a time. What is in the way is a condition of the Server; games run all the same.
 */
export const keepIsolation = (options: {
  isolation: IsolationSettings
  serverId: string
  amqpUrl: string
  docker: Pick<Docker, 'machineHelper'>
  everyMs?: number
  logger: Logger
}) => {
  const { isolation, logger } = options
  const bridges = bridgePrefix(options.serverId)
  let broker: Target[] = []
  let fault: string | null = null
  let isSet = false
  let last = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let usualMs = ownMs

  const carryOut = async (wishes: FirewallTask['wishes']): Promise<FirewallOutcome> => {
    const task = { bridges, wishes }
    const helper = await options.docker.machineHelper()
    if (helper !== null) usualMs = helpedMs
    return helper === null ? setFirewall(task) : askHelper(helper, task)
  }

  const set = async (): Promise<void> => {
    broker = await addressesOf(options.amqpUrl).catch(() => broker) // no name service: those it had
    const { changed } = await carryOut({ allow: isolation.allow, deny: [...isolation.deny, ...broker] })
    if (changed && isSet) logger.warn('rules were missing from the firewall between games and this machine: set again')
    isSet = true
    fault = null
  }

  const lookOnce = async (): Promise<void> => {
    clearTimeout(timer)
    try {
      await set()
    } catch (error) {
      if (fault === null) logger.warn({ err: error }, 'the firewall between games and this machine could not be set')
      isSet = false
      fault = (error as Error).message
    } finally {
      timer = setTimeout(look, options.everyMs ?? usualMs)
    }
  }
  /** After the one under way: that may have looked too early. */
  const look = (): void => {
    if (isolation.on) last = last.then(lookOnce)
  }

  const removeAll = async (): Promise<void> => {
    await carryOut(null).catch((error) => logger.debug({ err: error }, 'rules may be left in the firewall of this machine'))
  }

  if (isolation.on) look()
  // Those of an agent before, which had it on.
  else last = removeAll()
  return {
    look,
    /** Resolves when no look is under way: then a game may start. */
    settled: (): Promise<void> => last,
    conditions: (): Vitals['conditions'] => {
      if (!isolation.on) return [{ kind: 'ISOLATION_OFF', message: turnedOff }]
      return fault === null ? [] : [{ kind: 'ISOLATION_OFF', message: `${unprotected} ${fault} ${remedy}` }]
    },
    /** Ends the looks. With no game left, the rules go too. */
    close: async ({ isEmpty }: { isEmpty: boolean }): Promise<void> => {
      await last
      clearTimeout(timer)
      if (isEmpty && isolation.on) await removeAll()
    },
  }
}

const turnedOff = 'MANMAN_ISOLATION=off: games reach the ports of this machine, and what its cloud tells it.'
const unprotected = "Games reach the ports of this machine, and what its cloud tells it, as its firewall can't be set:"
const remedy =
  'The agent needs iptables, and to be root on the machine or in a container of an image of ManMan (docs/containers.md). MANMAN_ISOLATION=off leaves it so.'

/** The program beside this one, as source or compiled. */
const program = join(import.meta.dirname, `isolation/helper${extname(import.meta.filename)}`)

const askHelper = async (helper: MachineHelper, task: FirewallTask): Promise<FirewallOutcome> => {
  const written = await helper([process.execPath, program, JSON.stringify(task)])
  const outcome = outcomeSchema.safeParse(outcomeIn(written))
  if (!outcome.success) throw new Unavailable(`The container for the firewall said: ${written.trim().slice(-500)}`)
  if ('fault' in outcome.data) throw new Unavailable(outcome.data.fault)
  return outcome.data
}

const outcomeIn = (written: string): unknown => {
  try {
    return JSON.parse(written.slice(written.lastIndexOf(outcomeMark) + outcomeMark.length))
  } catch {
    return null
  }
}

/** Of a broker on this machine there is nothing to add: none of its ports is reached. */
const addressesOf = async (url: string): Promise<Target[]> => {
  const { hostname, port, protocol } = new URL(url)
  const found = await lookup(hostname, { all: true, family: 4 })
  return found
    .filter(({ address }) => !address.startsWith('127.'))
    .flatMap(({ address }) => parseTarget(`${address}:${port || defaultPorts[protocol]}`) ?? [])
}
