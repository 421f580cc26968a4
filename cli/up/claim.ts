import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '../home.ts'
import { writePrivate } from '../services/state-file.ts'
import type { Parts } from './parts.ts'

/**
 * Says in `up.json` which process runs ManMan from this directory, and which parts it started: the next start reads it
 * (`bootstrap/predecessor.mjs`), refuses while we live, and ends what is left of us when we were killed.
 */
export const makeClaim = (home: Home) => {
  const path = join(home.dir, 'up.json')
  return {
    write: ({ controlPlane, host }: Pick<Parts, 'controlPlane' | 'host'>): void => {
      const children = [controlPlane.pid(), host.pid()].filter((pid) => pid !== undefined)
      writePrivate(path, JSON.stringify({ pid: process.pid, children }))
    },
    release: (): void => rmSync(path, { force: true }),
  }
}
