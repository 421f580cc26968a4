import { Unreadable } from '../messages/envelope.ts'
import { readHostUser, speakerOf } from '../messages/routing.ts'

/** Somebody else has said it than its routing key names. */
export class NotBelieved extends Error {
  constructor(routingKey: string, userId: string | undefined) {
    super(`${notBelieved} its key is ${routingKey}, and the broker's user is ${userId ?? 'not said'}.`)
    this.name = 'NotBelieved'
  }
}

/** How the reason of such a dead letter begins. */
export const notBelieved = 'Not said by the host that it names:'

/** What of a message says who speaks. */
export interface Said {
  routingKey: string
  userId: string | undefined
  /** See `IncomingMessage`. */
  via: string
}

/** Answers the server whose host has said it; rejects with `NotBelieved`, or `Unreadable` when no server is named. */
export type Believe = (said: Said) => Promise<string>

/**
 * Who speaks: the server in the routing key, if the broker's user is its host's own. That user alone may write such keys, so
 * this finds what a broker lets through whose permissions are not ours. Of servers whose hosts share one user, the key is
 * all there is: `isShared` knows them, and is asked about no others. The key is the first one; copies by CC headers bear it too.
 */
export const makeBelieve =
  (isShared: (serverId: string) => Promise<boolean>): Believe =>
  async ({ routingKey, userId, via }) => {
    const speaker = speakerOf(routingKey)
    if (speaker === undefined) throw new Unreadable('the routing key names no server')
    // Nobody but the control plane writes to queues: a dead letter that a person has sent again.
    if (via === '') return speaker
    const user = userId === undefined ? undefined : readHostUser(userId)
    if (user?.serverId === speaker) return speaker
    if (!user && (await isShared(speaker))) return speaker
    throw new NotBelieved(routingKey, userId)
  }

/** For brokers whose hosts share one user, all of them. */
export const believeAll: Believe = makeBelieve(async () => true)
