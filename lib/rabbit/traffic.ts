/** What became of messages that were handed to the broker. */
export interface Published {
  confirmed: number
  /** No queue took them. */
  returned: number
  /** Certainly not delivered: no broker, or it refused. */
  refused: number
  /** The broker was lost, or slow, before it confirmed. */
  unconfirmed: number
}

/** What became of messages that came from a queue. */
export interface Consumed {
  handled: number
  /** Could not be handled yet, and came or will come again. */
  retried: number
  /** Can't be handled: kept with the reason, or rejected to what the queue says. */
  deadLettered: number
  /** Failed where nothing is acknowledged: its loss is repaired elsewhere. */
  dropped: number
  /** Of those two: not said by the host whose key it bears. */
  notBelieved: number
}

/** What went over one connection since the process began, by the name of each publisher and consumer. */
export interface TrafficCounts {
  /** Times the connection was made, the first included. */
  connects: number
  /** Times a channel was lost and opened again. */
  channelsLost: number
  published: Readonly<Record<string, Published>>
  consumed: Readonly<Record<string, Consumed>>
}

/** Counts of one connection. Names must be few: each is kept. */
export const makeTraffic = () => {
  const published: Record<string, Published> = {}
  const consumed: Record<string, Consumed> = {}
  const traffic = {
    connects: 0,
    channelsLost: 0,
    /** Where the publisher of that name counts. */
    publisher: (name: string): Published => {
      published[name] ??= { confirmed: 0, returned: 0, refused: 0, unconfirmed: 0 }
      return published[name]
    },
    /** Where the consumer of that name counts. */
    consumer: (name: string): Consumed => {
      consumed[name] ??= { handled: 0, retried: 0, deadLettered: 0, dropped: 0, notBelieved: 0 }
      return consumed[name]
    },
    counts: (): TrafficCounts => ({ connects: traffic.connects, channelsLost: traffic.channelsLost, published, consumed }),
  }
  return traffic
}

export type Traffic = ReturnType<typeof makeTraffic>
