import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { hasImage, importDirectory } from './docker-cli.ts'

const script = path.join(import.meta.dirname, 'fake-game/game.sh')
const busybox = '/bin/busybox'
const applets = [
  'sh',
  'awk',
  'cat',
  'echo',
  'id',
  'ls',
  'mount',
  'printf',
  'sleep',
  'touch',
  'usleep',
  'wget',
  'nc',
  'yes',
  'env',
  'dd',
  'wc',
]
const accounts = {
  passwd: 'root:x:0:0::/:/bin/sh\ngame:x:1000:1001::/data:/bin/sh\n',
  group: 'root:x:0:\ngame:x:1001:\nplayers:x:1002:\n',
}

const readBusybox = async (): Promise<Buffer> => {
  try {
    return await readFile(busybox)
  } catch (cause) {
    throw new Error(`The test images need a static ${busybox}: apt-get install busybox-static`, { cause })
  }
}

const assemble = async (directory: string): Promise<void> => {
  await mkdir(path.join(directory, 'bin'))
  await mkdir(path.join(directory, 'etc'))
  await copyFile(busybox, path.join(directory, 'bin/busybox'))
  for (const applet of applets) await symlink('busybox', path.join(directory, 'bin', applet))
  await copyFile(script, path.join(directory, 'bin/game'))
  await chmod(path.join(directory, 'bin/game'), 0o755)
  await writeFile(path.join(directory, 'bin/not-executable'), '#!/bin/sh\n', { mode: 0o644 })
  for (const [name, text] of Object.entries(accounts)) await writeFile(path.join(directory, 'etc', name), text)
}

/** Makes an image of the fake game with `files` beside it, and these changes of Dockerfile's. */
const buildImage = async (
  ref: string,
  changes: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const directory = await mkdtemp(path.join(tmpdir(), 'fake-game-'))
  try {
    await assemble(directory)
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(directory, name), text)
    await importDirectory(directory, ref, changes)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** As the images that eggs are made for: a user of its own, and an entrypoint that runs the command line in STARTUP. */
const eggEntrypoint = '#!/bin/sh\ncd /home/container\neval $STARTUP\n'
const eggChanges = ['CMD ["/bin/sh", "/entrypoint.sh"]', 'ENV PATH=/bin', 'USER 1000:1001']

const hashed = async (...parts: readonly string[]): Promise<string> => {
  const hash = createHash('sha256').update(await readBusybox())
  for (const part of [await readFile(script, 'utf8'), JSON.stringify({ applets, accounts }), ...parts]) hash.update(part)
  return hash.digest('hex').slice(0, 12)
}

/** The fake game in an image as eggs expect it. */
export const buildEggImage = async (): Promise<string> => {
  const ref = `manman-test/fake-egg:${await hashed(eggEntrypoint, ...eggChanges)}`
  if (!(await hasImage(ref))) await buildImage(ref, eggChanges, { 'entrypoint.sh': eggEntrypoint })
  return ref
}

let building: Promise<string> | null = null

/**
 * The image of `fake-game/game.sh` (its commands stand there), made in a second from this machine's static busybox;
 * resolves with its reference. Named by its content, so that a second call, or run, finds it.
 */
export const buildFakeGame = (): Promise<string> => {
  const build = async (): Promise<string> => {
    const ref = `manman-test/fake-game:${await hashed()}`
    if (!(await hasImage(ref))) await buildImage(ref, ['CMD ["/bin/game"]', 'ENV PATH=/bin'])
    return ref
  }
  building ??= build()
  return building
}
