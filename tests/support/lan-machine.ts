import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ip = (...words: string[]) => run('ip', words)

/** Answers each connection with the name of the port. */
const program = `
const net = require('node:net')
const ports = JSON.parse(process.argv[1])
const servers = Object.entries(ports).map(([port, word]) => {
  const server = net.createServer((socket) => socket.on('error', () => {}).end(word + '\\n'))
  return new Promise((done) => server.listen(Number(port), '0.0.0.0', done))
})
Promise.all(servers).then(() => console.log('listens'))
`

/**
 * A machine that this one reaches by a link of its own: a network namespace. It says on each of its TCP `ports` the word given
 * there, also at the `extra` address, to which this machine then has a route.
 */
export const openLanMachine = async (ports: Record<number, string>, extra: string) => {
  const number = process.pid % 250
  const name = `mm-lan-${process.pid}`
  const [here, there] = [`lan${process.pid}h`, `lan${process.pid}t`]
  const [gateway, address] = [`10.197.${number}.1`, `10.197.${number}.2`]
  await ip('netns', 'add', name)
  let child: ChildProcess | undefined
  const close = async (): Promise<void> => {
    if (child?.exitCode === null) {
      child.kill()
      await once(child, 'close')
    }
    // The link goes with it, and the route with the link.
    await ip('netns', 'del', name)
  }
  try {
    await ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name)
    await ip('addr', 'add', `${gateway}/30`, 'dev', here)
    await ip('link', 'set', here, 'up')
    await ip('-n', name, 'addr', 'add', `${address}/30`, 'dev', there)
    await ip('-n', name, 'addr', 'add', `${extra}/32`, 'dev', there)
    await ip('-n', name, 'link', 'set', there, 'up')
    await ip('route', 'add', `${extra}/32`, 'via', address)
    const node = [process.execPath, '-e', program, JSON.stringify(ports)]
    child = spawn('ip', ['netns', 'exec', name, ...node], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout!, 'data')
  } catch (error) {
    await close()
    throw error
  }
  return {
    /** Of this machine, on that link. */
    gateway,
    address,
    close,
  }
}
