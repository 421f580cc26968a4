import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const text = readFileSync(join(root, 'SECURITY.md'), 'utf8')

it('SECURITY.md points only to what is there', () => {
  const tests = [...text.matchAll(/`(tests\/[^`]+)`/g)].map(([, path]) => path!)
  const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, path]) => path!)
  expect(tests.length).toBeGreaterThan(15)
  expect([...tests, ...links].filter((path) => !existsSync(join(root, path)))).toEqual([])
})

it('each promise of SECURITY.md names a test', () => {
  const promises = text.split('\n').filter((line) => line.startsWith('| **'))
  expect(promises.length).toBeGreaterThanOrEqual(5)
  expect(promises.filter((line) => !line.includes('`tests/'))).toEqual([])
})
