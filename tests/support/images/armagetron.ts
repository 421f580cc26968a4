import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { hasImage, importDirectory, run } from './docker-cli.ts'

const context = path.join(import.meta.dirname, 'armagetron')
const debian = 'bookworm'
const baseRef = `manman-test/debian:${debian}`

/** A minimal Debian from the mirror this machine's apt uses by default; about a minute, once per machine. */
const buildBase = async (): Promise<void> => {
  const directory = await mkdtemp(path.join(tmpdir(), 'debian-'))
  try {
    const root = path.join(directory, 'root')
    await run('debootstrap', ['--variant=minbase', '--include=ca-certificates', debian, root])
    await importDirectory(root, baseRef, ['CMD ["/bin/bash"]'])
  } catch (cause) {
    throw new Error('The base of the real game image could not be made; it needs root and: apt-get install debootstrap', {
      cause,
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

let building: Promise<string> | null = null

/**
 * The image of a real game server nobody here wrote, Armagetron Advanced from Debian; resolves with its reference.
 * Listens on 4534/udp, takes `SAY hello` and `QUIT` on stdin, keeps its data under /data/game. Made once per machine.
 */
export const buildArmagetron = (): Promise<string> => {
  const build = async (): Promise<string> => {
    const dockerfile = await readFile(path.join(context, 'Dockerfile'))
    const ref = `manman-test/armagetron:${createHash('sha256').update(dockerfile).digest('hex').slice(0, 12)}`
    if (await hasImage(ref)) return ref
    if (!(await hasImage(baseRef))) await buildBase()
    // The classic builder is there wherever Docker is; buildx may not be.
    await run('docker', ['build', '--build-arg', `BASE=${baseRef}`, '--tag', ref, context], { DOCKER_BUILDKIT: '0' })
    return ref
  }
  building ??= build()
  return building
}
