import { probeDatabase } from '../../lib/db/probe.ts'
import { probeBroker } from '../../lib/rabbit/probe.ts'
import type { Fault } from '../progress.ts'

/**
 * What the bootstrap can't find out before the build: whether the servers that the environment names let us in. Those it
 * found unreadable or silent are left out.
 */
export const findServerFaults = async (env: NodeJS.ProcessEnv, known: readonly Fault[]): Promise<Fault[]> => {
  const isKnown = (about: string): boolean => known.some((fault) => fault.about === about)
  const faults = await Promise.all([
    env.DATABASE_URL && !isKnown('DATABASE_URL') ? checkDatabase(env.DATABASE_URL) : undefined,
    env.AMQP_URL && !isKnown('AMQP_URL') ? checkBroker(env.AMQP_URL) : undefined,
  ])
  return faults.filter((fault) => fault !== undefined)
}

const checkDatabase = async (url: string): Promise<Fault | undefined> => {
  const fault = await probeDatabase(url)
  if (!fault) return undefined
  const remedy = {
    unreachable: 'start it there',
    starting: 'wait for it',
    denied: 'correct the user and password in the URL',
    missing: 'create that database, or name another',
    unusable: 'look at its log',
  }[fault.reason]
  return {
    about: 'DATABASE_URL',
    message: `DATABASE_URL: the database ${fault.message}: ${remedy}, or unset it for the built-in PostgreSQL`,
  }
}

const checkBroker = async (url: string): Promise<Fault | undefined> => {
  const fault = await probeBroker(url)
  if (!fault) return undefined
  const remedy = fault.reason === 'denied' ? 'correct the user, password and vhost in the URL' : 'start it there'
  return { about: 'AMQP_URL', message: `AMQP_URL: the broker ${fault.message}: ${remedy}, or unset it for the built-in RabbitMQ` }
}
