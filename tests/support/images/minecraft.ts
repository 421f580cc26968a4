import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { hasImage, run } from './docker-cli.ts'

const source = path.join(import.meta.dirname, 'minecraft')
/** Packages of server and player, of no use to ManMan: they are not in its lock, and not on the disk of who runs no e2e test. */
const home = path.resolve(import.meta.dirname, '../../.cache/minecraft')
const stamp = path.join(home, 'installed')

/** Of the game: what both sides speak. */
export const minecraftVersion = '1.20.2'
/** Where its packages are found once the image is there. */
export const minecraftPackages = path.join(home, 'package.json')

const digest = async (): Promise<string> => {
  const hash = createHash('sha256').update(minecraftVersion)
  for (const file of (await readdir(source)).sort()) hash.update(file).update(await readFile(path.join(source, file)))
  return hash.digest('hex').slice(0, 12)
}

const install = async (): Promise<void> => {
  await rm(home, { recursive: true, force: true })
  await mkdir(home, { recursive: true })
  await cp(source, home, { recursive: true })
  await run('npm', ['ci', '--prefix', home, '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'])
  await prune()
}

/** Of every version of the game that ever was, 430 MB, the files of one stay. */
const prune = async (): Promise<void> => {
  const data = path.join(home, 'node_modules/minecraft-data/minecraft-data/data')
  const versions = JSON.parse(await readFile(path.join(data, 'dataPaths.json'), 'utf8')).pc as Record<
    string,
    Record<string, string>
  >
  const kept = new Set(Object.entries(versions[minecraftVersion]!).map(([name, dir]) => `${dir}/${name}`))
  for (const file of await readdir(data, { recursive: true, withFileTypes: true })) {
    const dir = path.relative(data, file.parentPath)
    const isKept = dir === '' || dir.endsWith('/common') || kept.has(`${dir}/${path.parse(file.name).name}`)
    if (file.isFile() && !isKept) await rm(path.join(file.parentPath, file.name))
  }
}

/** This machine's own node, as the image of ManMan has it where there is no registry. */
const localBase = async (): Promise<string> =>
  (await import(/* @vite-ignore */ path.resolve(import.meta.dirname, '../../../deploy/docker.mjs'))).localBase()

/**
 * The image of a Minecraft server in JavaScript, `minecraft/server.mjs`; half a minute, once per machine and working tree.
 * Resolves with its reference. Listens on 25565/tcp, reads `server.properties` in /data and keeps its world there.
 */
export const buildMinecraft = async (): Promise<string> => {
  const version = await digest()
  const ref = `manman-test/minecraft:${version}`
  if ((await readFile(stamp, 'utf8').catch(() => '')) !== version) {
    await install()
    await writeFile(stamp, version)
  }
  if (!(await hasImage(ref)))
    await run('docker', ['build', '--build-arg', `BASE=${await localBase()}`, '--tag', ref, home], { DOCKER_BUILDKIT: '0' })
  return ref
}
