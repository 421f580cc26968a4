import { setTimeout as delay } from 'node:timers/promises'
import type { ConfirmChannel } from 'amqplib'
import type { Logger } from '../process/logger.ts'
import { backOffMs } from '../process/retry.ts'
import { type CredentialsSource, closeLimitMs, type Link, openLink, reconnectBackOff } from './link.ts'
import { explainMismatch } from './mismatch.ts'
import { makeTraffic, type Traffic } from './traffic.ts'

export type { ConfirmChannel, ConsumeMessage } from 'amqplib'

export interface Rabbit {
  /** True while connected and able to publish, else what is wrong: for `/readyz`. */
  ready(): true | string
  /** Why the broker takes no messages, though it is there: it is short of memory or disk. */
  blocked(): string | undefined
  /**
   * Keeps one confirm channel open for as long as the connection lives and again after each reconnect, with back-off.
   * `setup` declares and consumes on the fresh channel; when it fails the channel is opened again later. One that
   * `publishes` is on a connection of its own.
   */
  keepChannel(options: ChannelOptions): KeptChannel
  /** Where publishers and consumers of this connection count. */
  traffic: Traffic
  /** Makes the connections anew, with what `credentials` answers by now. */
  renew(): Promise<void>
  logger: Logger
  close(): Promise<void>
}

export interface ChannelOptions {
  name: string
  setup?: (channel: ConfirmChannel) => Promise<void>
  publishes?: boolean
}

export interface KeptChannel {
  /** The open channel whose setup has succeeded; undefined while there is none. */
  current(): ConfirmChannel | undefined
  /** As whom it publishes, to be said with each message; undefined where that is not to be said. */
  user(): string | undefined
  /** What ended the last channel, or kept it from opening; undefined while one is open. */
  fault(): string | undefined
  /** Closes the channel and opens it no more. Already closed is success. */
  close(): Promise<void>
}

/**
 * RabbitMQ, over two connections that are made in the background and made again whenever they are lost, for ever: a broker
 * short of memory reads nothing more from a connection that publishes, and acknowledgements must reach it all the same, as
 * only they make room. Starting needs no broker: what uses it says `Unavailable` until it is there.
 */
export const makeRabbit = async (options: {
  url: string
  name: string
  logger: Logger
  /** Instead of those in the URL; then every message says as whom it was published, which the broker checks. */
  credentials?: CredentialsSource
}): Promise<Rabbit> => {
  const { logger } = options
  const traffic = makeTraffic()
  const onConnect = () => traffic.connects++
  const consuming = await openLink({ ...options, onConnect })
  const publishing = await openLink({ ...options, onConnect, name: `${options.name}-publish` })
  const links = [consuming, publishing]
  const kept = new Set<KeptChannel>()
  /** Said once: every channel that declares finds the same. */
  const mismatches = new Set<string>()

  const noteLost = (name: string, reason: string, failures: number): void => {
    traffic.channelsLost++
    const mismatch = explainMismatch(reason)
    const known = mismatch === undefined ? failures > 1 : mismatches.has(mismatch)
    if (mismatch !== undefined) mismatches.add(mismatch)
    logger[known ? 'debug' : 'warn']({ channel: name, reason: mismatch ?? reason, failures }, 'channel lost, opening it again')
  }

  return {
    ready: () => {
      const fault = links.map((link) => link.state()).find((state) => state !== true)
      return fault ?? publishing.blocked() ?? true
    },
    blocked: () => publishing.blocked(),
    traffic,
    renew: async () => void (await Promise.all(links.map((link) => link.renew()))),
    logger,
    keepChannel: (channelOptions) => {
      const link = channelOptions.publishes ? publishing : consuming
      const channel = keepChannel(link, { ...channelOptions, noteLost, onClosed: () => kept.delete(channel) })
      kept.add(channel)
      return channel
    },
    close: async () => {
      await Promise.all([...kept].map((channel) => channel.close()))
      await Promise.all(links.map((link) => link.close()))
    },
  }
}

const keepChannel = (
  link: Link,
  options: ChannelOptions & { noteLost: (name: string, reason: string, failures: number) => void; onClosed: () => void },
): KeptChannel => {
  const stop = new AbortController()
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }))
  let current: ConfirmChannel | undefined
  let user: string | undefined
  let fault: string | undefined
  let failures = 0

  const openOnce = async (): Promise<void> => {
    const channel = await Promise.race([link.openChannel(), stopped])
    if (!channel) return
    const closed = new Promise<Error | undefined>((resolve) => {
      channel.on('error', (error: Error) => resolve(error))
      channel.on('close', () => resolve(undefined))
    })
    try {
      // A channel that the broker closes rejects what waits on it, but a lost connection may not: `closed` ends the wait.
      await Promise.race([options.setup?.(channel), closed.then((error) => failWith(error))])
      current = channel
      user = link.user()
      failures = 0
      fault = undefined
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
        fault = explainMismatch(error.message) ?? error.message
        if (!stop.signal.aborted) options.noteLost(options.name, error.message, failures)
      })
      if (!stop.signal.aborted)
        await delay(backOffMs(reconnectBackOff, Math.max(1, failures)), undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    current: () => current,
    user: () => user,
    fault: () => (current ? undefined : fault),
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
