import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testNames } from '../../support/test-names.ts'

const root = resolve(import.meta.dirname, '../../..')

/** Failure → the tests that hold it off, by `file › name`, as docs/anchors.md has them. */
const rows = (): Map<string, string[]> => {
  const lines = readFileSync(join(root, 'docs/anchors.md'), 'utf8').split('\n')
  const cells = lines.filter((line) => line.startsWith('| ') && line.includes('`')).map((line) => line.split(' | '))
  return new Map(
    cells.map(([failure = '', tests = '']) => [failure.slice(2), [...tests.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)]),
  )
}

const isThere = (test: string): boolean => {
  const [file = '', ...name] = test.split(' › ')
  const path = join(root, 'tests', file)
  return existsSync(path) && testNames(path).includes(name.join(' › '))
}

describe('docs/anchors.md', () => {
  it('names a test for every failure', () => {
    expect(rows().size).toBeGreaterThanOrEqual(20)
    expect([...rows()].filter(([, tests]) => tests.length === 0)).toEqual([])
  })

  it('names only tests that are there', () => {
    expect([...rows().values()].flat().filter((test) => !isThere(test))).toEqual([])
  })
})

describe('the list of tests', () => {
  it('has those that run, by their full names, and nothing that only looks like one', () => {
    const directory = mkdtempSync(join(tmpdir(), 'test-names-'))
    const path = join(directory, 'some.test.ts')
    const code = `describe('a', () => {
      it('b', () => { const text = "it('c', () => {})" })
      // it('d', () => {})
      it.skip('e', () => {})
      it.each([1])('f %s', () => {})
      describe('g', () => { test.each\`x\`('h', async () => {}) })
      describe.skip('i', () => { it('j', () => {}) })
      it.todo('k')
    })`
    writeFileSync(path, code)
    expect(testNames(path)).toEqual(['a › b', 'a › f %s', 'a › g › h'])
    rmSync(directory, { recursive: true })
  })
})
