import { setTimeout as delay } from 'node:timers/promises'
import { CannotDecrypt } from '../lib/crypto/errors.ts'
import { open } from '../lib/crypto/sealed-box.ts'
import { type BrokerCredentials, credentialsContext, credentialsSchema } from '../lib/messages/commands.ts'
import type { Logger } from '../lib/process/logger.ts'
import { type BackOff, backOffMs } from '../lib/process/retry.ts'
import { probeBroker } from '../lib/rabbit/probe.ts'

/** What a host has for the broker: credentials that have worked, and those it was offered and has not used yet. */
export interface KeptCredentials {
  current: BrokerCredentials
  next?: BrokerCredentials | undefined
}

const tryBackOff: BackOff = { minMs: 250, maxMs: 15_000 }

export type BrokerAccess = ReturnType<typeof makeBrokerAccess>

/**
 * As whom the host speaks to the broker. What it is offered stands on disk before it is acknowledged, and is tried until the
 * broker takes it; only then it replaces what worked before. So wherever this is interrupted, one of the two still works.
 */
export const makeBrokerAccess = (options: {
  serverId: string
  /** The broker's address; credentials in it count for nothing. */
  amqpUrl: string
  /** Of this host: what is sealed to its public key is opened with it. */
  privateKey: string
  kept: KeptCredentials
  /** Resolves once it is durable. */
  save: (kept: KeptCredentials) => Promise<void>
  logger: Logger
  backOff?: BackOff
}) => {
  const { serverId, logger, backOff = tryBackOff } = options
  const stop = new AbortController()
  let kept = options.kept
  let onTaken: () => Promise<unknown> = async () => undefined
  let trying: Promise<void> | undefined

  const save = async (changed: KeptCredentials): Promise<void> => {
    await options.save(changed)
    kept = changed
  }

  /** True once nothing is left to be tried. */
  const tryNext = async (): Promise<boolean> => {
    const { next } = kept
    if (!next) return true
    const fault = await probeBroker(amqpUrlFor(options.amqpUrl, next))
    if (fault) throw new Error(`the broker ${fault.message}`)
    if (kept.next !== next) return false // offered anew meanwhile
    await save({ current: next })
    logger.info({ user: next.username }, 'new credentials work: taken into use')
    await onTaken()
    return true
  }

  const run = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        if (await tryNext()) return
      } catch (error) {
        failures++
        const say = failures === 1 ? 'warn' : 'debug'
        logger[say]({ reason: (error as Error).message, user: kept.next?.username }, 'new credentials are not in use yet')
        await delay(backOffMs(backOff, failures), undefined, { signal: stop.signal }).catch(() => undefined)
      }
    }
  }

  const go = (): void => {
    trying ??= run().finally(() => {
      trying = undefined
    })
  }

  const openOffer = (sealed: string): BrokerCredentials | undefined => {
    try {
      return credentialsSchema.parse(JSON.parse(open(options.privateKey, sealed, credentialsContext(serverId))))
    } catch (error) {
      if (!(error instanceof CannotDecrypt)) throw error
      logger.error({ err: error }, 'new credentials were sealed for another key: those there are stay in use')
      return undefined
    }
  }

  return {
    /** Of this moment. */
    credentials: (): BrokerCredentials => kept.current,
    /** Begins to try what was offered to an agent before. `taken` makes connections anew, as `credentials` by then says. */
    start: (taken: () => Promise<unknown>): void => {
      onTaken = taken
      go()
    },
    /** Resolves once what is offered is durable; rejects when it can't be written. What this host can't open is dropped. */
    renew: async (sealed: string): Promise<void> => {
      const next = openOffer(sealed)
      if (!next || next.username === kept.current.username) return
      await save({ ...kept, next })
      go()
    },
    close: async (): Promise<void> => {
      stop.abort()
      await trying
    },
  }
}

/** The broker's address with these credentials in it. */
export const amqpUrlFor = (address: string, { username, password }: BrokerCredentials): string => {
  const url = new URL(address)
  url.username = encodeURIComponent(username)
  url.password = encodeURIComponent(password)
  return url.href
}

/** Those in an address, or RabbitMQ's own default. */
export const credentialsIn = (address: string): BrokerCredentials => {
  const { username, password } = new URL(address)
  return { username: decodeURIComponent(username) || 'guest', password: decodeURIComponent(password) || 'guest' }
}
