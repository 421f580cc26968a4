// Brings node_modules and dist/ up to date, and does nothing when they are.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './packages.mjs'

/** What tsconfig.build.json compiles. */
const sources = ['cli', 'gateway', 'subgraphs', 'processor', 'host', 'lib']
const installStamp = 'node_modules/.manman-installed'
const buildStamp = 'dist/.manman-built'

const digest = (root, paths, extra = '') => {
  const hash = createHash('sha256').update(extra)
  for (const path of paths) hash.update(`\0${path}\0`).update(readFileSync(join(root, path)))
  return hash.digest('hex')
}

/** Native addons fit one kind of machine and one Node, so a copied or upgraded tree is installed again. */
const installDigest = (root) =>
  digest(root, ['package-lock.json'], `${process.platform}-${process.arch}-${process.versions.modules}`)

const buildDigest = (root) =>
  digest(root, ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...sources.flatMap((dir) => filesBelow(root, dir))])

const filesBelow = (root, dir) =>
  !existsSync(join(root, dir))
    ? []
    : readdirSync(join(root, dir), { withFileTypes: true })
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .flatMap((entry) =>
          entry.isDirectory()
            ? filesBelow(root, `${dir}/${entry.name}`)
            : entry.name.endsWith('.ts')
              ? [`${dir}/${entry.name}`]
              : [],
        )

const stampSays = (root, stamp, value) => {
  try {
    return readFileSync(join(root, stamp), 'utf8') === value
  } catch {
    return false
  }
}

export const isInstalled = (root) => stampSays(root, installStamp, installDigest(root))
export const isBuilt = (root) => stampSays(root, buildStamp, buildDigest(root))

/** `npm ci`, tools for building and testing included. */
export const install = async (root, log) => {
  const words = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', words, log, { NODE_ENV: '' }, root)
  writeFileSync(join(root, installStamp), installDigest(root))
}

/** TypeScript to dist/, without the type check: that is `npm run check`'s, and takes most of the time. */
export const build = async (root, log) => {
  const value = buildDigest(root)
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noCheck'], log, {}, root)
  writeFileSync(join(root, buildStamp), value)
}
