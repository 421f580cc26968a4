import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'

/** Runs a program with its output on our stderr; rejects when it fails. `input` is a stream for its stdin. */
export const run = async (program, args, input) => {
  const child = spawn(program, args, { stdio: [input ? 'pipe' : 'ignore', 2, 2] })
  const ended = new Promise((done, fail) => child.on('close', done).on('error', fail))
  if (input) await pipeline(input, child.stdin)
  const code = await ended
  if (code !== 0) throw new Error(`${program} ${args[0]} ended with ${code}`)
}

/** A tar of these files below `root` as a stream: the same bytes for the same contents, whoever owns them and since when. */
export const tarOf = (root, files) => {
  const same = ['--dereference', '--owner=0', '--group=0', '--numeric-owner', '--mode=go=rX', '--mtime=@0']
  const args = ['-C', root, ...same, '-c', '--null', '--files-from=-']
  const tar = spawn('tar', args, { stdio: ['pipe', 'pipe', 2] })
  // A tar that was cut off looks like one that is complete.
  tar.on('close', (code) => code !== 0 && tar.stdout.destroy(new Error(`tar ended with ${code}`)))
  tar.stdin.end([...files].sort().join('\0'))
  return tar.stdout
}

/**
 * An image of this machine's own node and iptables with the libraries they are linked with, and nothing else: a base that no
 * registry is needed for. Made once per version of these files; resolves with its reference.
 */
export const localBase = async () => {
  const node = realpathSync(process.execPath)
  const files = [...new Set([node, ...(await librariesOf(node)), ...(await iptablesFiles())])]
  const ref = `manman-local/node:${await digestOf(files)}`
  if (await hasImage(ref)) return ref
  const relative = files.map((path) => path.slice(1))
  await run('docker', ['import', '--change', `ENV PATH=${dirname(node)}`, '-', ref], tarOf('/', relative))
  return ref
}

const output = async (program, args) => (await promisify(execFile)(program, args)).stdout

const hasImage = (ref) =>
  output('docker', ['image', 'inspect', ref]).then(
    () => true,
    () => false,
  )

/** What the agent's helper needs for the machine's firewall; without it the image is one without. */
const iptablesFiles = async () => {
  const names = ['', '-nft', '-legacy'].flatMap((variant) => ['-save', '-restore'].map((tool) => `tables${variant}${tool}`))
  const programs = names.flatMap((name) => [`/usr/sbin/ip${name}`, `/usr/sbin/ip6${name}`]).filter((path) => existsSync(path))
  const libraries = [...new Set((await Promise.all(programs.map(librariesOf))).flat())]
  // Each kind of rule is a library of its own, which is loaded by name.
  const directories = libraries.map((path) => join('/usr', dirname(path).replace(/^\/usr/, ''), 'xtables'))
  const directory = directories.find((path) => existsSync(path))
  const kinds = directory ? readdirSync(directory).map((name) => join(directory, name)) : []
  return [...programs, ...libraries, ...kinds]
}

/** `ldd` prints ` libm.so.6 => /lib/…/libm.so.6 (0x…)`, and the loader as a path alone. */
const librariesOf = async (program) => [...(await output('ldd', [program])).matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path)

const digestOf = async (files) => {
  const hash = createHash('sha256')
  for (const file of files) {
    hash.update(file)
    for await (const chunk of createReadStream(file)) hash.update(chunk)
  }
  return hash.digest('hex').slice(0, 12)
}
