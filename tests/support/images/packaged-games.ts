import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { makeShelf } from '../../../lib/presets/shelf.ts'
import { buildDebian } from './debian.ts'
import { hasImage, run } from './docker-cli.ts'

/** Presets whose games are Debian packages. */
export const packagedGames = ['armagetron', 'bzflag', 'freeciv', 'openttd', 'teeworlds'] as const
export type PackagedGame = (typeof packagedGames)[number]

const folder = path.resolve(import.meta.dirname, '../../../presets/images')

/** The image of a preset, from its own Dockerfile and under its own name; some 15 s, once per machine. Its reference. */
const buildPackagedGame = async (name: PackagedGame): Promise<string> => {
  const context = path.join(folder, name)
  const dockerfile = await readFile(path.join(context, 'Dockerfile'))
  const built = `manman-test/${name}:${createHash('sha256').update(dockerfile).digest('hex').slice(0, 12)}`
  if (!(await hasImage(built))) {
    const base = `BASE=${await buildDebian()}`
    // The classic builder is there wherever Docker is; buildx may not be.
    await run('docker', ['build', '--build-arg', base, '--tag', built, context], { DOCKER_BUILDKIT: '0' })
  }
  const { image } = makeShelf().get(name).config
  await run('docker', ['tag', built, image])
  return image
}

/** All of them, beside each other: most of the time is the mirror's. */
export const buildPackagedGames = async (): Promise<Record<PackagedGame, string>> => {
  const built = await Promise.all(packagedGames.map(async (name) => [name, await buildPackagedGame(name)] as const))
  return Object.fromEntries(built) as Record<PackagedGame, string>
}
