import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Certificate {
  key: string
  cert: string
}

/** A certificate authority of the test's own; `file` has its certificate. `days` may be negative: over already. */
export const makeAuthority = async () => {
  const dir = mkdtempSync(join(tmpdir(), 'manman-ca-'))
  const at = (name: string): string => join(dir, name)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await run('openssl', ['req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=test', '-days', '2'])
  let number = 0
  return {
    file: at('ca.pem'),
    issue: async (host: string, days = 1): Promise<Certificate> => {
      const name = `server-${++number}`
      writeFileSync(at(`${name}.ext`), `subjectAltName=DNS:${host}`)
      await run('openssl', ['req', ...key, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${host}`])
      const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-set_serial', String(number)]
      const out = ['-days', String(days), '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`)]
      await run('openssl', ['x509', '-req', '-in', at(`${name}.csr`), ...signer, ...out])
      return { key: readFileSync(at(`${name}.key`), 'utf8'), cert: readFileSync(at(`${name}.pem`), 'utf8') }
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/**
 * Speaks TLS with that certificate in front of the real service on `port`. PostgreSQL's clients ask for it first, in words of
 * its protocol: `asks` answers them.
 */
export const openTlsFront = async (port: number, certificate: Certificate, { asks = false } = {}) => {
  const sockets = new Set<Socket>()
  const server = createServer(async (client) => {
    sockets.add(client)
    client.on('error', () => undefined) // refused, as was asked for
    if (asks) {
      await new Promise((resolve) => client.once('data', resolve))
      client.write('S')
    }
    const secure = new TLSSocket(client, { isServer: true, ...certificate })
    secure.on('error', () => client.destroy())
    const behind = connect(port, '127.0.0.1')
    behind.on('error', () => client.destroy())
    behind.on('close', () => client.destroy())
    client.on('close', () => behind.destroy())
    secure.pipe(behind).pipe(secure)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
