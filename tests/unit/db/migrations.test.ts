import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readMigrations } from '../../../lib/db/migrations.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'migrations-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const write = (...names: string[]): void => {
  for (const name of names) writeFileSync(join(dir, name), `-- ${name}`)
}

describe('readMigrations', () => {
  it('pairs the files and sorts them by number', () => {
    write('0002_b.down.sql', '0001_a.up.sql', '0002_b.up.sql', '0001_a.down.sql')
    expect(readMigrations(dir).map(({ version, name, up, down }) => [version, name, up, down])).toEqual([
      [1, 'a', '-- 0001_a.up.sql', '-- 0001_a.down.sql'],
      [2, 'b', '-- 0002_b.up.sql', '-- 0002_b.down.sql'],
    ])
  })

  it.each([
    [['0001_a.up.sql'], 'migration 1, a, needs an .up.sql and a .down.sql'],
    [['0002_b.up.sql', '0002_b.down.sql'], 'there is no migration 1, but a migration 2'],
    [['0001_a.up.sql', '0001_b.down.sql'], 'two migrations are numbered 1: a and b'],
    [['notes.txt'], 'notes.txt: a migration is called 0001_what_it_does.up.sql or .down.sql'],
  ])('refuses %j', (names, message) => {
    write(...names)
    expect(() => readMigrations(dir)).toThrow(message)
  })
})
