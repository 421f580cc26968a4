import { Client, DatabaseError } from 'pg'
import { certificateFault } from '../process/certificates.ts'

/** Why a database can't be used; `message` is one sentence without credentials. */
export interface DatabaseFault {
  reason: 'unreachable' | 'starting' | 'denied' | 'missing' | 'unusable'
  message: string
}

/**
 * Connects once and asks one question. Resolves to undefined when the database answers, else to what is wrong;
 * rejects never, and ends within about `timeoutMs`.
 */
export const probeDatabase = async (url: string, timeoutMs = 5_000): Promise<DatabaseFault | undefined> => {
  let client: Client | undefined
  try {
    client = new Client({ connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs })
    client.on('error', () => {}) // a connection lost after the answer came says nothing new
    await client.connect()
    await client.query('select 1')
    return undefined
  } catch (error) {
    return describe(error)
  } finally {
    await client?.end().catch(() => {})
  }
}

/** SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html */
const describe = (error: unknown): DatabaseFault => {
  const { code, message } = error as { code?: string; message: string }
  const untrusted = certificateFault(error)
  if (untrusted) return { reason: 'unusable', message: untrusted }
  if (!(error instanceof DatabaseError)) return { reason: 'unreachable', message: `does not answer (${code ?? message})` }
  if (code === '28P01' || code === '28000') return { reason: 'denied', message: `refuses the user or password (${message})` }
  if (code === '3D000') return { reason: 'missing', message: message }
  if (code === '57P03') return { reason: 'starting', message: message }
  return { reason: 'unusable', message: `${message} (${code})` }
}
