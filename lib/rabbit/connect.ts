import { setTimeout as delay } from 'node:timers/promises'
import { type ConfirmChannel, connect, type RecoveringChannelModel } from 'amqplib'
import type { Logger } from '../process/logger.ts'
import { backOffMs } from '../process/retry.ts'
import { makeTraffic, type Traffic } from './traffic.ts'

export type { ConfirmChannel } from 'amqplib'

const backOff = { minMs: 100, maxMs: 5_000 }
const heartbeatSeconds = 10
const closeLimitMs = 2_000

export interface Rabbit {
  /** True while connected, else what is wrong: for `/readyz`. */
  ready(): true | string
  /**
   * Keeps one confirm channel open for as long as the connection lives and again after each reconnect, with back-off.
   * `setup` declares and consumes on the fresh channel; when it fails the channel is opened again later.
   */
  keepChannel(options: { name: string; setup?: (channel: ConfirmChannel) => Promise<void> }): KeptChannel
  /** Where publishers and consumers of this connection count. */
  traffic: Traffic
  close(): Promise<void>
}

export interface KeptChannel {
  /** The open channel whose setup has succeeded; undefined while there is none. */
  current(): ConfirmChannel | undefined
  /** Closes the channel and opens it no more. Already closed is success. */
  close(): Promise<void>
}

/**
 * One connection to RabbitMQ that is made in the background and made again whenever it is lost, for ever.
 * Starting needs no broker: what uses it says `Unavailable` until it is there.
 */
export const makeRabbit = async (options: { url: string; name: string; logger: Logger }): Promise<Rabbit> => {
  const { logger } = options
  const traffic = makeTraffic()
  let state: true | string = 'RabbitMQ is not connected yet.'
  const separator = options.url.includes('?') ? '&' : '?'
  const connection = await connect(`${options.url}${separator}heartbeat=${heartbeatSeconds}`, {
    noDelay: true, // else Nagle's algorithm holds small messages back for 40 ms
    timeout: 10_000,
    clientProperties: { connection_name: `manman-${options.name}` },
    recovery: { waitForConnect: false, calculateDelay: (attempt) => backOffMs(backOff, attempt) },
  })
  connection.on('connect', () => {
    state = true
    traffic.connects++
    logger.info('connected to RabbitMQ')
  })
  const lost = (error: Error): void => {
    if (state === true) logger.warn({ reason: error.message }, 'lost RabbitMQ, reconnecting')
    state = `RabbitMQ is away: ${error.message || (error as NodeJS.ErrnoException).code}`
  }
  connection.on('disconnect', lost)
  connection.on('connect-failed', lost)
  connection.on('error', lost)

  const kept = new Set<KeptChannel>()
  return {
    ready: () => state,
    keepChannel: (channelOptions) => {
      const channel = keepChannel(connection, {
        ...channelOptions,
        logger,
        onLost: () => traffic.channelsLost++,
        onClosed: () => kept.delete(channel),
      })
      kept.add(channel)
      return channel
    },
    traffic,
    close: async () => {
      await Promise.all([...kept].map((channel) => channel.close()))
      await Promise.race([connection.close(), delay(closeLimitMs, undefined, { ref: false })])
    },
  }
}

const keepChannel = (
  connection: RecoveringChannelModel,
  options: {
    name: string
    setup?: (channel: ConfirmChannel) => Promise<void>
    logger: Logger
    onLost: () => void
    onClosed: () => void
  },
): KeptChannel => {
  const stop = new AbortController()
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }))
  let current: ConfirmChannel | undefined
  let failures = 0

  const openOnce = async (): Promise<void> => {
    const channel = await Promise.race([connection.createConfirmChannel(), stopped])
    if (!channel) return
    const closed = new Promise<Error | undefined>((resolve) => {
      channel.on('error', (error: Error) => resolve(error))
      channel.on('close', () => resolve(undefined))
    })
    try {
      // A channel that the broker closes rejects what waits on it, but a lost connection may not: `closed` ends the wait.
      await Promise.race([options.setup?.(channel), closed.then((error) => failWith(error))])
      current = channel
      failures = 0
      const error = await Promise.race([closed, stopped])
      if (error) throw error
    } finally {
      current = undefined
      await channel.close().catch(() => undefined) // already closed, or its connection is gone
    }
  }

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await openOnce().catch((error: Error) => {
        failures++
        options.onLost()
        if (!stop.signal.aborted)
          options.logger.warn({ channel: options.name, reason: error.message, failures }, 'channel lost, opening it again')
      })
      if (!stop.signal.aborted)
        await delay(backOffMs(backOff, Math.max(1, failures)), undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    current: () => current,
    close: async () => {
      stop.abort()
      await Promise.race([running, delay(closeLimitMs, undefined, { ref: false })])
      options.onClosed()
    },
  }
}

const failWith = (error: Error | undefined): never => {
  throw error ?? new Error('the channel was closed while it was set up')
}
