import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const program = resolve(import.meta.dirname, '../../../.ci/audit.mjs')

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'audit-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** What the command makes of what npm says: a script stands in for npm, as no registry has a hole on demand. */
const audit = (said: unknown, exceptions: object[] = [], ...words: string[]) => {
  writeFileSync(join(dir, 'said.json'), JSON.stringify(said))
  writeFileSync(join(dir, 'exceptions.json'), JSON.stringify(exceptions))
  writeFileSync(join(dir, 'npm'), `#!/bin/sh\ncat '${dir}/said.json'\nexit 1\n`)
  chmodSync(join(dir, 'npm'), 0o755)
  const env = { PATH: `${dir}:${process.env.PATH}`, AUDIT_EXCEPTIONS: join(dir, 'exceptions.json') }
  const { status, stdout } = spawnSync(process.execPath, [program, ...words], { env, encoding: 'utf8' })
  return { status, stdout }
}
const hole = { name: 'left-pad', severity: 'high', title: 'pads too far', url: 'https://advisories.example/GHSA-aaaa-bbbb-cccc' }
const report = (...via: unknown[]) => ({
  vulnerabilities: via.length ? { a: { via }, b: { via: ['a', ...via] } } : {},
  metadata: {},
})
const exception = { advisory: 'GHSA-aaaa-bbbb-cccc', package: 'left-pad', reason: 'we pad nothing', until: '2999-01-01' }

it('tells clean, holes and explained holes apart', () => {
  expect(audit(report())).toMatchObject({ status: 0, stdout: expect.stringContaining('0 known holes') })
  const found = audit(report(hole))
  expect(found.status).toBe(1)
  expect(found.stdout).toContain('left-pad: high, GHSA-aaaa-bbbb-cccc: pads too far')
  expect(audit(report(hole), [exception])).toMatchObject({ status: 0, stdout: expect.stringContaining('1 of them explained') })
})

it('takes no explanation that is over, needed no more, or says nothing', () => {
  expect(audit(report(hole), [{ ...exception, until: '2020-01-01' }])).toMatchObject({ status: 1 })
  expect(audit(report(), [exception])).toMatchObject({ status: 1, stdout: expect.stringContaining('needed no more') })
  expect(audit(report(hole), [{ ...exception, reason: '' }])).toMatchObject({ status: 1 })
})

it('does not call clean what no registry told, and names none', () => {
  const refused = { message: '405 - POST https://registry.example/-/npm', uri: 'https://registry.example/', statusCode: 405 }
  const told = audit(refused)
  expect(told).toMatchObject({ status: 0, stdout: expect.stringContaining('NOT CHECKED') })
  expect(told.stdout).not.toContain('registry.example')
  expect(told.stdout).not.toContain('known holes')
  expect(audit(refused, [], '--strict').status).toBe(2)
})
