import { execFile, spawn } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const main = resolve(import.meta.dirname, '../../dist/cli/main.js')
const run = promisify(execFile)
const ip = (...words: string[]) => run('ip', words)

/** A host agent that runs there. */
export interface RemoteHost {
  pid: number
  /** All it has written so far. */
  text(): string
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | string>
  signal(name: NodeJS.Signals): void
}

/**
 * A machine of its own as far as the network knows: a network namespace that reaches this one by one link. It shares the
 * disk and the Docker engine. `number` tells it from others, 0 to 63.
 */
export const makeOtherMachine = async (dir: string, number: number) => {
  const name = `mm-test-${process.pid}-${number}`
  const [here, there] = [`mmh${process.pid}${number}`.slice(-15), `mmt${process.pid}${number}`.slice(-15)]
  const [gateway, address] = [`10.198.${number}.1`, `10.198.${number}.2`]
  await ip('netns', 'add', name)
  await ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name)
  await ip('addr', 'add', `${gateway}/30`, 'dev', here)
  await ip('link', 'set', here, 'up')
  for (const words of [
    ['addr', 'add', `${address}/30`, 'dev', there],
    ['link', 'set', there, 'up'],
    ['link', 'set', 'lo', 'up'],
  ])
    await ip('-n', name, ...words)
  const hosts: RemoteHost[] = []
  let starts = 0

  return {
    /** By which it reaches this machine. */
    gateway,
    cutLink: () => ip('link', 'set', here, 'down'),
    restoreLink: () => ip('link', 'set', here, 'up'),
    /** Runs `manman host` there, as a machine of that id. */
    startHost: (options: { dataDir: string; words?: string[]; env?: Record<string, string>; machineId: string }): RemoteHost => {
      const log = join(dir, `${name}-${++starts}.log`)
      writeFileSync(log, '')
      const idFile = join(dir, `machine-id-${options.machineId}`)
      writeFileSync(idFile, `${options.machineId}\n`)
      const script = 'mount --bind "$0" /etc/machine-id && exec "$@"'
      const host = ['ip', 'netns', 'exec', name, process.execPath, main, 'host', ...(options.words ?? [])]
      const env = { PATH: process.env.PATH, HOME: dir, HEALTH_PORT: '0', MANMAN_DATA_DIR: options.dataDir, ...options.env }
      const child = spawn('unshare', ['--mount', 'sh', '-c', script, idFile, ...host], {
        cwd: dir,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => appendFileSync(log, chunk))
      const ended = new Promise<number | string>((done) => child.once('close', (code, signal) => done(signal ?? code ?? 0)))
      const running = {
        pid: child.pid!,
        text: () => readFileSync(log, 'utf8'),
        ended,
        signal: (signal: NodeJS.Signals) => void child.kill(signal),
      }
      hosts.push(running)
      return running
    },
    /** Ends what runs there, and takes it apart. */
    close: async (): Promise<void> => {
      for (const host of hosts) {
        host.signal('SIGCONT')
        host.signal('SIGTERM')
      }
      await Promise.all(hosts.map(({ ended }) => ended))
      await ip('netns', 'del', name)
    },
  }
}

export type OtherMachine = Awaited<ReturnType<typeof makeOtherMachine>>
