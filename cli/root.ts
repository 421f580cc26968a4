import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

const rootAbove = (dir: string): string => {
  if (existsSync(join(dir, 'migrations'))) return dir
  if (dirname(dir) === dir) throw new Error('this installation has no migrations/ directory')
  return rootAbove(dirname(dir))
}

/** Where this installation stands: the directory with `migrations/`, above the sources as above `dist/`. */
export const root = rootAbove(import.meta.dirname)

/** The entry file of this very program, to start a part of it as a process: built if we are. */
export const mainFile = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'main.ts' : 'main.js')
