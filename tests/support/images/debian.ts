import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { hasImage, importDirectory, run } from './docker-cli.ts'

const release = 'bookworm'
const ref = `manman-test/debian:${release}`

const build = async (): Promise<string> => {
  if (await hasImage(ref)) return ref
  const directory = await mkdtemp(path.join(tmpdir(), 'debian-'))
  try {
    const root = path.join(directory, 'root')
    await run('debootstrap', ['--variant=minbase', '--include=ca-certificates', release, root])
    await importDirectory(root, ref, ['CMD ["/bin/bash"]'])
    return ref
  } catch (cause) {
    throw new Error('The base of the real games could not be made; it needs root and: apt-get install debootstrap', { cause })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

let building: Promise<string> | null = null

/** A minimal Debian 12 from the mirror this machine's apt uses by default; about a minute, once per machine. Its reference. */
export const buildDebian = (): Promise<string> => {
  building ??= build()
  return building
}
