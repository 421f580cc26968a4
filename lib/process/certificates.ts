import { readFileSync } from 'node:fs'
import { BadConfig } from './env.ts'

const codes = /^(CERT_|ERR_TLS_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/

/** Why TLS refused a server's certificate, as the end of a sentence; undefined for other errors. */
export const certificateFault = (error: unknown): string | undefined => {
  const { code, message } = error as { code?: unknown; message?: string }
  if (typeof code !== 'string' || !codes.test(code)) return undefined
  return `has a certificate that is not trusted here: ${message} (NODE_EXTRA_CA_CERTS names a file with CAs of your own)`
}

/** Node itself goes on without a file that it can't read, and nothing would be trusted: throws `BadConfig` instead. */
export const checkExtraCertificates = (env: NodeJS.ProcessEnv): void => {
  const file = env.NODE_EXTRA_CA_CERTS
  if (!file) return
  try {
    if (readFileSync(file, 'utf8').includes('-----BEGIN CERTIFICATE-----')) return
  } catch (error) {
    throw new BadConfig([`NODE_EXTRA_CA_CERTS: can't read ${file} (${(error as NodeJS.ErrnoException).code})`])
  }
  throw new BadConfig([`NODE_EXTRA_CA_CERTS: ${file} has no certificate in PEM`])
}
