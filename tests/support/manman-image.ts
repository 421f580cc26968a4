import { createHash } from 'node:crypto'
import { createReadStream, realpathSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { hasImage, importDirectory, run } from './images/docker-cli.ts'

const script = resolve(import.meta.dirname, '../../deploy/image.mjs')

/**
 * The image of every deployable, built from this working tree by the same `deploy/` that users have, on a base made of this
 * machine's own node: no registry is needed. Docker's cache makes a second build of the same tree a matter of seconds.
 */
export const buildManmanImage = async (): Promise<string> => {
  const stdout = await run(process.execPath, [script, '--base', await baseImage(), '--tag', 'manman-test/manman'])
  return stdout.trim()
}

/** Node and the libraries it is linked with, nothing else; made once per machine and version of them. */
const baseImage = async (): Promise<string> => {
  const node = realpathSync(process.execPath)
  const files = [node, ...(await librariesOf(node))]
  const ref = `manman-test/node:${await digestOf(files)}`
  if (await hasImage(ref)) return ref
  const directory = await mkdtemp(join(tmpdir(), 'node-image-'))
  try {
    await run('cp', ['--parents', '--dereference', ...files, directory])
    await importDirectory(directory, ref, [`ENV PATH=${dirname(node)}`])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return ref
}

/** `ldd` prints ` libm.so.6 => /lib/…/libm.so.6 (0x…)`, and the loader as a path alone. */
const librariesOf = async (program: string): Promise<string[]> =>
  [...(await run('ldd', [program])).matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]!)

const digestOf = async (files: readonly string[]): Promise<string> => {
  const hash = createHash('sha256')
  for (const file of files) {
    hash.update(file)
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  }
  return hash.digest('hex').slice(0, 12)
}
