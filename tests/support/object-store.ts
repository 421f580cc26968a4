import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDirectoryStore } from '../../lib/storage/directory.ts'

/** A store in a directory of its own; `drop` removes it. */
export const createTestStore = () => {
  const root = mkdtempSync(join(tmpdir(), 'manman-objects-'))
  return { store: makeDirectoryStore({ root }), root, drop: () => rmSync(root, { recursive: true, force: true }) }
}
