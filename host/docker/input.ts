import http from 'node:http'
import type { Duplex } from 'node:stream'
import { OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import { withTimeout } from '../../lib/process/retry.ts'
import type { DockerClients } from './client.ts'
import { ask } from './errors.ts'

/** A running game's stdin. */
export interface GameInput {
  /**
   * Writes one line (without its newline). Resolves once Docker has taken it; lines arrive in the order of the calls.
   * `Unavailable` when the game does not run: nothing was written. `OutcomeUnknown` when it was not taken in time.
   */
  write(line: string): Promise<void>
  /** Lets go of the game's stdin, which stays open. */
  close(): void
}

const defaultWriteTimeoutMs = 5_000
const attachTimeoutMs = 10_000
/** Lines that wait for a game that does not read its stdin. */
const maxWaiting = 100
/** With a terminal, Docker would take Ctrl-P Ctrl-Q out of what is typed and detach; nobody types this. */
const detachKeys = 'ctrl-_,ctrl-^,ctrl-_,ctrl-^,ctrl-_'

/**
 * Attaches to a container's stdin and to nothing else: an attached output that is not read freezes the game. By hand and
 * not through dockerode, which sends its options as a body, and the first bytes after the headers are already stdin.
 */
const attachStdin = (socketPath: string, containerId: string): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const query = new URLSearchParams({ stream: '1', stdin: '1', stdout: '0', stderr: '0', detachKeys })
    const request = http.request({
      socketPath,
      method: 'POST',
      path: `/containers/${encodeURIComponent(containerId)}/attach?${query}`,
      headers: { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Length': '0' },
      agent: false,
      timeout: attachTimeoutMs,
    })
    request.on('upgrade', (_, socket) => {
      socket.setTimeout(0)
      resolve(socket)
    })
    request.on('response', (response) => {
      response.resume()
      const message = response.statusMessage ?? ''
      reject(Object.assign(new Error(message), { statusCode: response.statusCode, json: { message } }))
    })
    request.on('timeout', () => request.destroy(Object.assign(new Error('attach timed out'), { code: 'ETIMEDOUT' })))
    request.on('error', reject)
    request.end()
  })

export const makeGameInput = (options: { clients: DockerClients; containerId: string; writeTimeoutMs?: number }): GameInput => {
  const { clients, containerId } = options
  const writeTimeoutMs = options.writeTimeoutMs ?? defaultWriteTimeoutMs
  let socket: Duplex | null = null
  let tail: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let closed = false

  /** Asked for every line: Docker takes and swallows the first one after the game has ended, attached before or after. */
  const checkRunning = async (): Promise<void> => {
    const info = await ask('container', containerId, () => clients.calls.getContainer(containerId).inspect())
    if (!info.State.Running) throw new Unavailable('The game is not running.')
  }

  const attach = async (): Promise<Duplex> => {
    const attached = await attachStdin(clients.socketPath, containerId)
    const forget = (): void => {
      if (socket === attached) socket = null
      attached.destroy()
    }
    // Nothing is ever sent to us; reading notices that the connection has ended.
    attached.resume()
    attached.on('end', forget)
    attached.on('close', forget)
    attached.on('error', forget)
    return attached
  }

  const put = (to: Duplex, line: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const lost = (): void => reject(new OutcomeUnknown('The game ended while the line was being written.'))
      to.once('close', lost)
      to.write(`${line}\n`, (error) => {
        to.off('close', lost)
        if (error) lost()
        else resolve()
      })
    })

  const writeNow = async (line: string): Promise<void> => {
    if (closed) throw new Unavailable('The game is not running.')
    await checkRunning()
    socket ??= await ask('container', containerId, attach)
    const to = socket
    try {
      await withTimeout(put(to, line), writeTimeoutMs, () => new OutcomeUnknown('The game does not read its input.'))
    } catch (error) {
      // What was taken of the line is not known; the next one begins on a connection of its own.
      to.destroy()
      throw error
    }
  }

  return {
    write(line) {
      if (line.includes('\n')) return Promise.reject(new TypeError('One line at a time.'))
      if (waiting >= maxWaiting) return Promise.reject(new Unavailable('Too many lines are waiting for the game to read them.'))
      waiting++
      const writing = tail.then(() => writeNow(line)).finally(() => waiting--)
      // The failure is the caller's; the next line is tried all the same.
      tail = writing.catch(() => undefined)
      return writing
    },
    close() {
      closed = true
      socket?.destroy()
    },
  }
}
