import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { run } from './images/docker-cli.ts'

const root = resolve(import.meta.dirname, '../..')

/** Two working trees on one machine are two versions. */
const ref = `manman-test/manman:${createHash('sha256').update(root).digest('hex').slice(0, 12)}`

/**
 * The image of every deployable, built from this working tree by the same script that users have, without any registry.
 * Docker's cache makes a second build of the same tree a matter of seconds.
 */
export const buildManmanImage = async (): Promise<string> => {
  await run(process.execPath, [resolve(root, 'deploy/image.mjs'), '--base', 'local', '--tag', ref])
  return ref
}
