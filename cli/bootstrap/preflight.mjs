// Everything that can be known to be wrong before anything is installed or started, found at once.
// The whole module, not its names: statfsSync is missing in a Node that is too old, and importing it would end us here.
import fs from 'node:fs'
import { connect, createServer, isIP } from 'node:net'
import { dirname, join } from 'node:path'
import { findPredecessor } from './predecessor.mjs'

const megabyte = 1024 ** 2
/** node_modules, Docker, RabbitMQ and what they unpack take about 1.6 GB. */
const installFloorBytes = 2500 * megabyte
/** RabbitMQ stops taking messages at 200 MB, PostgreSQL dies on a full disk. */
const runFloorBytes = 500 * megabyte

/**
 * Answers a list of faults, `{ about, message }`: `about` is what it concerns (a variable's name, `node`, `disk`, …),
 * `message` one line with its remedy.
 */
export const findFaults = async ({ env, root, home, willInstall }) => {
  const predecessor = await findPredecessor(home)
  const badHome = checkHome(home)
  const found = await Promise.all([
    checkNode(),
    badHome || checkDisk(home, runFloorBytes),
    willInstall && checkDisk(root, installFloorBytes),
    predecessor ? describePredecessor(home, predecessor) : checkPort(env),
    checkListen(env),
    checkPublicUrl(env),
    checkServer(env, 'DATABASE_URL', ['postgres:', 'postgresql:'], 5432, 'PostgreSQL'),
    checkServer(env, 'AMQP_URL', ['amqp:', 'amqps:'], 5672, 'RabbitMQ'),
  ])
  const faults = found.filter(Boolean)
  return faults.filter((fault, index) => faults.findIndex((other) => other.message === fault.message) === index)
}

const describePredecessor = (home, pid) => ({
  about: 'home',
  message: `ManMan runs already from ${home} (pid ${pid}): stop that by Ctrl-C or \`kill ${pid}\`, or set MANMAN_HOME and PORT to others`,
})

const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 18)) return undefined
  return {
    about: 'node',
    message: `Node.js ${process.versions.node} is too old: install 20.18 or newer, see https://nodejs.org/en/download`,
  }
}

const checkHome = (home) => {
  try {
    makeDirs(home)
    if (!fs.statSync(home).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' })
    fs.accessSync(home, fs.constants.W_OK | fs.constants.X_OK)
    return undefined
  } catch (error) {
    return { about: 'MANMAN_HOME', message: `${home} can't be written (${error.code}): set MANMAN_HOME to a directory of yours` }
  }
}

/** One by one: Node's own `recursive` never returns where the kernel answers ENOENT for a parent that is there (/proc). */
const makeDirs = (path) => {
  if (fs.existsSync(path)) return
  makeDirs(dirname(path))
  fs.mkdirSync(path, { mode: 0o700 })
}

const checkDisk = (path, floorBytes) => {
  if (!fs.statfsSync) return undefined // a Node too old to ask, which is a fault of its own
  try {
    const { bavail, bsize } = fs.statfsSync(existingParent(path))
    const free = bavail * bsize
    if (free >= floorBytes) return undefined
    const [is, needed] = [free, floorBytes].map((bytes) => `${Math.round(bytes / megabyte)} MB`)
    return {
      about: 'disk',
      message: `the disk of ${path} has ${is} free and ${needed} are needed: free some, or set MANMAN_HOME to another disk`,
    }
  } catch {
    return undefined // whatever makes it unreadable shows in the check of the directory itself
  }
}

const existingParent = (path) => (fs.existsSync(path) || path === dirname(path) ? path : existingParent(dirname(path)))

const checkListen = ({ MANMAN_LISTEN: address }) =>
  address && !isIP(address)
    ? {
        about: 'MANMAN_LISTEN',
        message: `MANMAN_LISTEN is not an IP address: ${address}; set it to one of this machine, or 0.0.0.0`,
      }
    : undefined

const checkPublicUrl = ({ PUBLIC_URL: text }) => {
  if (!text) return undefined
  const protocol = URL.canParse(text) ? new URL(text).protocol : ''
  if (['http:', 'https:'].includes(protocol)) return undefined
  return { about: 'PUBLIC_URL', message: `PUBLIC_URL is not an http://host:port URL: ${text}` }
}

const checkPort = (env) => {
  if (env.MANMAN_LISTEN && !isIP(env.MANMAN_LISTEN)) return undefined // a fault of its own
  const host = env.HOST || env.MANMAN_LISTEN || '127.0.0.1'
  const port = Number(env.PORT || 4000)
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    return { about: 'PORT', message: `PORT is not a port number: ${env.PORT}` }
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve({ about: 'PORT', message: describePort(error, host, port) }))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

const describePort = (error, host, port) => {
  if (error.code === 'EADDRINUSE')
    return `port ${port} on ${host} is taken${describeOwner(port)}: stop that, or set PORT to another, e.g. PORT=${port + 1}`
  if (error.code === 'EACCES') return `port ${port} needs root: set PORT to one above 1023`
  return `can't listen on ${host} (${error.code}): set HOST or MANMAN_LISTEN to an address of this machine, e.g. 127.0.0.1`
}

/** ` by node (pid 123)`, where Linux lets us see it. */
const describeOwner = (port) => {
  try {
    const inodes = ['/proc/net/tcp', '/proc/net/tcp6']
      .filter((table) => fs.existsSync(table))
      .flatMap((table) => listenersOn(table, port))
    for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsSocket(pid, inodes)) return ` by ${fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
    }
  } catch {
    // not Linux, or not ours to see
  }
  return ''
}

const listenersOn = (table, port) =>
  fs
    .readFileSync(table, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === '0A' && parseInt(columns[1].split(':')[1], 16) === port)
    .map((columns) => `socket:[${columns[9]}]`)

const holdsSocket = (pid, inodes) => {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.includes(fs.readlinkSync(join('/proc', pid, 'fd', fd))))
  } catch {
    return false // gone by now, or another user's
  }
}

/** A variable that names a server: readable, and something listens there. Whether it lets us in is asked after the build. */
const checkServer = async (env, name, protocols, defaultPort, product) => {
  const text = env[name]
  if (!text) return undefined
  const remedy = `or unset ${name} to use the built-in ${product}`
  let url
  try {
    url = new URL(text)
  } catch {
    url = undefined
  }
  if (!url || !protocols.includes(url.protocol) || !url.hostname) {
    return { about: name, message: `${name} is not a ${protocols[0]}//user:password@host:port URL: correct it, ${remedy}` }
  }
  const port = Number(url.port || defaultPort)
  const code = await reach(url.hostname.replace(/^\[|\]$/g, ''), port)
  if (!code) return undefined
  return {
    about: name,
    message: `${name}: nothing answers at ${url.hostname}:${port} (${code}): start ${product} there, ${remedy}`,
  }
}

const reach = (host, port) =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 })
    const end = (code) => {
      socket.destroy()
      resolve(code)
    }
    socket.once('connect', () => end(undefined))
    socket.once('timeout', () => end('no answer in 3 s'))
    socket.once('error', (error) => end(error.code || error.message))
  })
