import { connect } from 'amqplib'
import { certificateFault } from '../process/certificates.ts'

/** Why a broker can't be used; `message` is one sentence without credentials. */
export interface BrokerFault {
  reason: 'unreachable' | 'denied' | 'unusable'
  message: string
}

/**
 * Opens one connection and closes it again. Resolves to undefined when the broker takes our credentials and vhost, else to
 * what is wrong; rejects never, and ends within about `timeoutMs`.
 */
export const probeBroker = async (url: string, timeoutMs = 5_000): Promise<BrokerFault | undefined> => {
  try {
    const connection = await connect(url, { timeout: timeoutMs })
    connection.on('error', () => {}) // lost after it had answered: says nothing new
    await connection.close()
    return undefined
  } catch (error) {
    return describe(error)
  }
}

const describe = (error: unknown): BrokerFault => {
  const { code, message } = error as { code?: string | number; message: string }
  if (/ACCESS.REFUSED/.test(message)) return { reason: 'denied', message: 'refuses the user or password' }
  if (/NOT.ALLOWED/.test(message)) return { reason: 'denied', message: 'refuses this vhost to this user' }
  const untrusted = certificateFault(error)
  if (untrusted) return { reason: 'unusable', message: untrusted }
  if (typeof code === 'string' || /timed? ?out|ETIMEDOUT|closed/i.test(message)) {
    return { reason: 'unreachable', message: `does not answer (${code ?? message})` }
  }
  return { reason: 'unusable', message }
}
