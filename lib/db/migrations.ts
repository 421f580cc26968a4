import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A numbered pair of files, `0007_name.up.sql` and `0007_name.down.sql`. */
export interface Migration {
  version: number
  name: string
  up: string
  down: string
  /** SHA-256 of `up`, kept when it is applied: a file changed afterwards is noticed. */
  checksum: string
}

/** Something about the files or the database forbids migrating; `message` says what to do. */
export class MigrationError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'MigrationError'
  }
}

/**
 * Reads the migrations of a directory, in order. Throws `MigrationError` when a number is missing, doubled, or lacks its
 * way down.
 */
export const readMigrations = (directory: string): Migration[] => {
  const pairs = new Map<number, { name: string; up?: string; down?: string }>()
  for (const file of readdirSync(directory)) {
    const { version, name, direction } = parseFileName(file)
    const pair = pairs.get(version) ?? { name }
    if (pair.name !== name) throw new MigrationError(`two migrations are numbered ${version}: ${pair.name} and ${name}`)
    pairs.set(version, { ...pair, [direction]: readFileSync(join(directory, file), 'utf8') })
  }
  const versions = [...pairs.keys()].sort((a, b) => a - b)
  return versions.map((version, index) => {
    const { name, up, down } = pairs.get(version)!
    if (version !== index + 1) throw new MigrationError(`there is no migration ${index + 1}, but a migration ${version}`)
    if (up === undefined || down === undefined) {
      throw new MigrationError(`migration ${version}, ${name}, needs an .up.sql and a .down.sql`)
    }
    return { version, name, up, down, checksum: createHash('sha256').update(up).digest('hex') }
  })
}

const parseFileName = (file: string): { version: number; name: string; direction: 'up' | 'down' } => {
  const [, digits, name, direction] = /^(\d{4,})_([a-z0-9_]+)\.(up|down)\.sql$/.exec(file) ?? []
  if (!digits || !name) throw new MigrationError(`${file}: a migration is called 0001_what_it_does.up.sql or .down.sql`)
  return { version: Number(digits), name, direction: direction as 'up' | 'down' }
}
