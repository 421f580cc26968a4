import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { checkExtraCertificates } from '../../../lib/process/certificates.ts'
import { type S3Peer, startS3Peer } from '../../support/s3-peer.ts'
import { makeAuthority, openTlsFront } from '../../support/tls-front.ts'
import '../../support/provided.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../../..')
const closing: (() => unknown)[] = []
let s3: S3Peer
let trusted: string
let services: { name: string; kind: string; url: string }[]

const certificates = ['good', 'of another name', 'expired', 'of an unknown CA'] as const

beforeAll(async () => {
  s3 = await startS3Peer('tls')
  const [ours, others] = await Promise.all([makeAuthority(), makeAuthority()])
  closing.push(s3.stop, ours.close, others.close)
  trusted = ours.file
  const shown = {
    good: await ours.issue('localhost'),
    'of another name': await ours.issue('elsewhere.example'),
    expired: await ours.issue('localhost', -1),
    'of an unknown CA': await others.issue('localhost'),
  }
  const { databaseUrl, amqpUrl } = inject('services')
  const open = async (kind: string, given: string, name: (typeof certificates)[number]) => {
    const front = await openTlsFront(Number(new URL(given).port), shown[name], { asks: kind === 'database' })
    closing.push(front.close)
    const url = Object.assign(new URL(given), { hostname: 'localhost', port: String(front.port) })
    if (kind === 'database') url.searchParams.set('sslmode', 'verify-full')
    const secure = { broker: 'amqps:', store: 'https:' }[kind]
    return { name: `${kind} ${name}`, kind, url: secure ? url.href.replace(/^\w+:/, secure) : url.href, s3: s3.options }
  }
  const given: [string, string][] = [
    ['broker', amqpUrl],
    ['database', databaseUrl],
    ['store', s3.options.endpoint],
  ]
  services = await Promise.all(given.flatMap(([kind, url]) => certificates.map((name) => open(kind, url, name))))
})
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

/** What a program of its own is told, which trusts that file beside what all trust. */
const askAll = async (file: string): Promise<Record<string, string>> => {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: file }
  const program = [resolve(root, 'node_modules/tsx/dist/cli.mjs'), resolve(root, 'tests/support/tls-probe-process.ts')]
  const { stdout } = await run(process.execPath, [...program, JSON.stringify(services)], { env, timeout: 60_000 })
  return JSON.parse(stdout)
}

describe('TLS to broker, database and S3', () => {
  it('takes a certificate of a CA that NODE_EXTRA_CA_CERTS names, and no other: each refusal says why', async () => {
    const [told, untold] = await Promise.all([askAll(trusted), askAll('')])
    for (const kind of ['broker', 'database', 'store']) {
      expect(told[`${kind} good`]).toBe('ok')
      expect(told[`${kind} of another name`]).toContain("does not match certificate's altnames")
      expect(told[`${kind} expired`]).toContain('certificate has expired')
      expect(told[`${kind} of an unknown CA`]).toContain('unable to verify the first certificate')
      expect(untold[`${kind} good`]).toContain('unable to verify the first certificate')
    }
    expect(told['broker expired']).toContain('NODE_EXTRA_CA_CERTS')
  })

  it('refuses to start with a file of CAs that is none', () => {
    expect(() => checkExtraCertificates({ NODE_EXTRA_CA_CERTS: '/nowhere' })).toThrow("can't read /nowhere (ENOENT)")
    expect(() => checkExtraCertificates({ NODE_EXTRA_CA_CERTS: resolve(root, 'package.json') })).toThrow('no certificate in PEM')
    checkExtraCertificates({ NODE_EXTRA_CA_CERTS: trusted })
  })
})
