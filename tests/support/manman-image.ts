import { resolve } from 'node:path'
import { run } from './images/docker-cli.ts'

const script = resolve(import.meta.dirname, '../../deploy/image.mjs')

/**
 * The image of every deployable, built from this working tree by the same script that users have, without any registry.
 * Docker's cache makes a second build of the same tree a matter of seconds.
 */
export const buildManmanImage = async (): Promise<string> =>
  (await run(process.execPath, [script, '--base', 'local', '--tag', 'manman-test/manman'])).trim()
