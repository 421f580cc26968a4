import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { commandLine, isAlive, logTail, spawnDetached, waitUntil } from './processes.ts'
import { type Origin, ServiceFault } from './service.ts'

const run = promisify(execFile)

const startLimitMs = 40_000
const usualSocket = '/var/run/docker.sock'
const dockerdPidFile = '/var/run/docker.pid'
const dockerdPaths = ['/usr/sbin/dockerd', '/usr/bin/dockerd', '/usr/local/bin/dockerd']

export interface DockerEngine {
  socket: string
  /** Resolves once the engine answers; starts it where that is ours to do. Throws `ServiceFault` naming what is missing. */
  start(): Promise<Origin>
}

/** The engine's socket as the environment names it (`DOCKER_SOCKET`, or `DOCKER_HOST=unix://…`), or the usual one. */
export const dockerSocket = (env: NodeJS.ProcessEnv): string =>
  env.DOCKER_SOCKET || (env.DOCKER_HOST?.startsWith('unix://') ? env.DOCKER_HOST.slice('unix://'.length) : usualSocket)

/**
 * The machine's Docker engine. There is no `stop`: games go on after us, and so does the engine below them, which is why a
 * `dockerd` that had to be started is left to itself, with its log at `log`.
 */
export const makeDockerEngine = (options: { socket: string; log: string }): DockerEngine => ({
  socket: options.socket,
  start: async () => {
    const answer = await pingDocker(options.socket)
    if (answer === 'ok') return 'external'
    if (answer === 'denied')
      throw new ServiceFault(`Docker's socket ${options.socket} is closed to this user: add it to the group \`docker\``)
    if (options.socket !== usualSocket) {
      throw new ServiceFault(`no Docker engine answers at ${options.socket}: start it, or unset DOCKER_SOCKET and DOCKER_HOST`)
    }
    await startEngine(options.log)
    const answers = await waitUntil(async () => (await pingDocker(options.socket)) === 'ok', startLimitMs, 100)
    if (answers) return 'started'
    throw new ServiceFault(`dockerd was started but does not answer, see ${options.log}: ${logTail(options.log, 1)}`)
  },
})

/** Asks the engine whether it is there; ends within 2 s. */
export const pingDocker = (socketPath: string): Promise<'ok' | 'absent' | 'denied'> =>
  new Promise((resolve) => {
    const asked = request({ socketPath, path: '/_ping', timeout: 2_000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200 ? 'ok' : 'absent')
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EACCES' ? 'denied' : 'absent'))
    asked.end()
  })

const startEngine = async (log: string): Promise<void> => {
  const program = dockerdPaths.find((path) => existsSync(path))
  if (!program)
    throw new ServiceFault('Docker is not installed: `apt-get install docker.io`, or see https://docs.docker.com/engine/install')
  if (process.getuid?.() !== 0)
    throw new ServiceFault('Docker does not run: start it as root, e.g. `sudo systemctl start docker`')
  if (existsSync('/run/systemd/system')) {
    await run('systemctl', ['start', 'docker'], { timeout: startLimitMs }).catch((error: Error) => {
      throw new ServiceFault(`systemd could not start Docker, see \`journalctl -u docker\`: ${error.message.split('\n')[0]}`)
    })
    return
  }
  if (!isEngineRunning()) await spawnDetached([program], { log })
}

/** A pid file whose number belongs to another program by now (a restarted container) would keep dockerd from starting. */
const isEngineRunning = (): boolean => {
  if (!existsSync(dockerdPidFile)) return false
  const pid = Number.parseInt(readFileSync(dockerdPidFile, 'utf8'), 10)
  if (isAlive(pid) && commandLine(pid).includes('dockerd')) return true
  rmSync(dockerdPidFile, { force: true })
  return false
}

/** How many games of this server run now; 0 when the engine can't be asked. */
export const countRunningGames = (socketPath: string, serverId: string): Promise<number> =>
  new Promise((resolve) => {
    const label = ['manman.type=game', `manman.server_id=${serverId}`]
    const filters = encodeURIComponent(JSON.stringify({ label, status: ['running'] }))
    const asked = request({ socketPath, path: `/containers/json?filters=${filters}`, timeout: 2_000 }, (response) => {
      json(response)
        .then((containers) => resolve(Array.isArray(containers) ? containers.length : 0))
        .catch(() => resolve(0))
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(0))
    asked.end()
  })
