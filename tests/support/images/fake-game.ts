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

const buildImage = async (ref: string): Promise<void> => {
  const directory = await mkdtemp(path.join(tmpdir(), 'fake-game-'))
  try {
    await assemble(directory)
    await importDirectory(directory, ref, ['CMD ["/bin/game"]', 'ENV PATH=/bin'])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

let building: Promise<string> | null = null

/**
 * The image of `fake-game/game.sh` (its commands stand there), made in a second from this machine's static busybox;
 * resolves with its reference. Named by its content, so that a second call, or run, finds it.
 */
export const buildFakeGame = (): Promise<string> => {
  const build = async (): Promise<string> => {
    const hash = createHash('sha256')
      .update(await readBusybox())
      .update(await readFile(script))
      .update(JSON.stringify({ applets, accounts }))
    const ref = `manman-test/fake-game:${hash.digest('hex').slice(0, 12)}`
    if (!(await hasImage(ref))) await buildImage(ref)
    return ref
  }
  building ??= build()
  return building
}
