import { existsSync } from 'node:fs'
import { join } from 'node:path'

// `npm run bench NAME [-- options]`: the folder of that name.
const [name = ''] = process.argv.splice(2, 1)
const program = join(import.meta.dirname, name, 'main.ts')
if (/^[a-z]+$/.test(name) && existsSync(program)) await import(program)
else {
  console.error('which one? npm run bench backup, npm run bench logs, npm run bench simulation')
  process.exitCode = 64
}
