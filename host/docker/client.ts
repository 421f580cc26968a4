import http from 'node:http'
import Dockerode from 'dockerode'

/** The connections to one Docker engine. */
export interface DockerClients {
  /** For calls that answer: none of them takes longer than the limit without a byte. */
  calls: Dockerode
  /** For streams, which are silent for as long as a game is. They end by their signal. */
  streams: Dockerode
  socketPath: string
  /** Ends every connection. */
  close(): void
}

/** Starting and removing containers touches iptables and file systems and may take long on a busy machine. */
const defaultCallTimeoutMs = 60_000

/** Connects lazily: an engine that is down shows with the first call. */
export const makeDockerClients = (options: { socketPath: string; callTimeoutMs?: number }): DockerClients => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 })
  // A stream occupies its connection, and there may be hundreds: no limit, and nothing to keep.
  const streamAgent = new http.Agent({ keepAlive: false })
  const connect = (settings: { agent: http.Agent; timeout: number | undefined }): Dockerode => {
    // `host: undefined` keeps docker-modem from following DOCKER_HOST to another engine than the one configured.
    const all = { host: undefined, protocol: 'http' as const, socketPath: options.socketPath, ...settings }
    return new Dockerode(all)
  }
  return {
    calls: connect({ agent, timeout: options.callTimeoutMs ?? defaultCallTimeoutMs }),
    streams: connect({ agent: streamAgent, timeout: undefined }),
    socketPath: options.socketPath,
    close() {
      agent.destroy()
      streamAgent.destroy()
    },
  }
}
