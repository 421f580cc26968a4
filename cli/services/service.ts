/** How a service came to be there: made now, left over by a predecessor that was killed, or not ours at all. */
export type Origin = 'started' | 'adopted' | 'external'

/** Something the control plane needs underneath it: a database, a broker. */
export interface Service {
  name: string
  /** False for one that the environment names: `start` only asks whether it answers, and `stop` does nothing. */
  isOurs: boolean
  /** Where it is (or will be) reached, credentials included: never print it. */
  url: string
  /**
   * Resolves once it answers with our credentials. A running one left by a killed predecessor is adopted. Calling it again
   * after a death starts it again on the same data, port and password. Throws `ServiceFault` with the remedy.
   */
  start(): Promise<Origin>
  /** Whether its process is there now. External services count as alive: their clients see to reconnecting. */
  isAlive(): boolean
  /** Stops it in order, by force after its limit. "Already stopped" and "not ours" are success. */
  stop(): Promise<void>
}

/** A service can't be had. `message` is one line that names the remedy. */
export class ServiceFault extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ServiceFault'
  }
}
