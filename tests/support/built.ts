import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

interface Build {
  isBuilt(root: string): boolean
  build(root: string, log: string): Promise<void>
}

/** Brings `dist/` up to date with the sources, as `npm start` does: end-to-end tests run what users run. */
export const ensureBuilt = async (): Promise<void> => {
  const script = resolve(root, 'cli/bootstrap/build.mjs')
  const { isBuilt, build } = (await import(/* @vite-ignore */ script)) as Build
  if (isBuilt(root)) return
  const cache = resolve(root, 'tests/.cache')
  mkdirSync(cache, { recursive: true })
  await build(root, resolve(cache, 'build.log'))
}
