import type { Readable } from 'node:stream'
import type { DockerClients } from './client.ts'
import { translateDockerError } from './errors.ts'

interface Modem {
  dial(options: object, callback: (error: unknown, stream: Readable) => void): void
}

/**
 * Opens a container's log, both streams with timestamps, exactly as Docker sends it: frames of 8 bytes header, or entries
 * without frames for a container with a terminal. Reading it slowly never slows the game. Ends when the container does
 * (`follow`) or at the end of what is there. The stream fails when the signal aborts or the engine goes away.
 */
export const openOutput = async (
  clients: DockerClients,
  containerId: string,
  options: {
    follow: boolean
    /** Inclusive, `seconds.nanoseconds`; null from the beginning. */
    since: string | null
    signal: AbortSignal
  },
): Promise<Readable> => {
  // Not `container.logs`, which collects the whole log in memory unless it follows.
  const modem = clients.streams.modem as Modem
  const query = {
    stdout: true,
    stderr: true,
    timestamps: true,
    follow: options.follow,
    ...(options.since === null ? {} : { since: options.since }),
  }
  return new Promise((resolve, reject) => {
    modem.dial(
      {
        path: `/containers/${encodeURIComponent(containerId)}/logs?`,
        method: 'GET',
        options: query,
        isStream: true,
        abortSignal: options.signal,
        statusCodes: { 200: true },
      },
      (error, stream) => {
        if (error) reject(translateDockerError(error, 'container', containerId))
        else resolve(stream)
      },
    )
  })
}
