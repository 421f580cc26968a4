import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

interface Build {
  isInstalled(root: string): boolean
  isBuilt(root: string): boolean
  build(root: string, log: string): Promise<void>
}

/** The bootstrap's own words for it: what it would do again, a test does again. */
const bootstrap = async (): Promise<Build> => import(/* @vite-ignore */ resolve(root, 'cli/bootstrap/build.mjs'))

/** Whether node_modules is what the lock file says. */
export const isInstalled = async (): Promise<boolean> => (await bootstrap()).isInstalled(root)

/** Brings `dist/` up to date with the sources, as `npm start` does: end-to-end tests run what users run. */
export const ensureBuilt = async (): Promise<void> => {
  const { isBuilt, build } = await bootstrap()
  if (isBuilt(root)) return
  const cache = resolve(root, 'tests/.cache')
  mkdirSync(cache, { recursive: true })
  await build(root, resolve(cache, 'build.log'))
}
