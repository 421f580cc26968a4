import { messageVersion, writeMessage } from '../../lib/messages/envelope.ts'
import { exchanges, keys } from '../../lib/messages/routing.ts'
import type { HostHealth, SessionReport, SessionState } from '../../lib/messages/statuses.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeRabbit, type Rabbit } from '../../lib/rabbit/connect.ts'
import { makePublisher, type Publisher } from '../../lib/rabbit/publisher.ts'
import type { SimulatedServer, SimulatedSession } from './fleet-rows.ts'

/** Each is two connections to the broker, as every process of ours has: 50 altogether. */
const links = 25
const beatEveryMs = 3_000
const tickMs = 100
const beatTtlMs = 9_000

interface Host extends SimulatedServer {
  publisher: Publisher
  isSilent: boolean
  /** By this process' steady clock. */
  lastBeatMs: number
}

/** The hosts' side of the fleet: signs of life, and reports of sessions that become ready or are restarted. */
export const openHosts = async (options: {
  amqpUrl: string
  servers: readonly SimulatedServer[]
  reportsPerSecond: number
  logger: Logger
}) => {
  const rabbits: Rabbit[] = []
  for (let i = 0; i < links; i++)
    rabbits.push(await makeRabbit({ url: options.amqpUrl, name: `hosts-${i}`, logger: options.logger }))
  const publishers = rabbits.map((rabbit) => makePublisher({ rabbit, name: 'hosts' }))
  const hosts = options.servers.map(
    (server, i): Host => ({ ...server, publisher: publishers[i % links]!, isSilent: false, lastBeatMs: 0 }),
  )
  const counters = { beats: 0, reports: 0, restarts: 0, failed: 0 }
  const timers: NodeJS.Timeout[] = []

  const publish = async (host: Host, routingKey: string, message: { id: string }, ttlMs?: number): Promise<boolean> => {
    try {
      await host.publisher.publish({
        exchange: exchanges.reports,
        routingKey,
        content: writeMessage(message),
        messageId: message.id,
        persistent: ttlMs === undefined,
        mandatory: ttlMs === undefined,
        expirationMs: ttlMs,
      })
      return true
    } catch {
      counters.failed++
      return false
    }
  }

  const beat = async (host: Host): Promise<void> => {
    if (host.isSilent) return
    const atMs = performance.now()
    if (!(await publish(host, keys.hostHealth(host.id), healthOf(), beatTtlMs))) return
    host.lastBeatMs = atMs
    counters.beats++
  }

  const report = async (host: Host, session: SimulatedSession): Promise<void> => {
    session.revision++
    // Ready, and no longer so: each of the two is news.
    const readyAt = session.revision % 2 === 0 ? new Date().toISOString() : null
    const state = { ...stateOf(session), readyAt }
    if (await publish(host, keys.sessionStatus(host.id, session.id), reportOf(state, null))) counters.reports++
  }

  /** A crash, and the session that the restart policy begins: one report, as hosts tell it. */
  const restart = async (host: Host, place: number): Promise<void> => {
    const before = host.sessions[place]!
    before.revision++
    const ended = {
      endedAt: new Date().toISOString(),
      exitCode: 1,
      oomKilled: false,
      endReason: 'CRASHED' as const,
      logLastSeq: 9,
    }
    const previous = { ...stateOf(before), ...ended, status: 'CRASHED' as const, lastLines: ['it crashed'] }
    const session = { ...before, id: newId(), revision: 1 }
    host.sessions[place] = session
    const body = reportOf(stateOf(session), {
      of: before.id,
      serverGameConfigId: before.serverGameConfigId,
      previous,
      collapsed: 0,
    })
    if (await publish(host, keys.sessionStatus(host.id, session.id), body)) counters.restarts++
  }

  const someReports = (): void => {
    for (let i = 0; i < (options.reportsPerSecond * tickMs) / 1_000; i++) {
      const host = hosts[Math.floor(Math.random() * hosts.length)]!
      const place = Math.floor(Math.random() * host.sessions.length)
      const session = host.sessions[place]
      if (host.isSilent || !session) continue
      void (Math.random() < 0.2 ? restart(host, place) : report(host, session))
    }
  }

  return {
    hosts,
    counters: () => ({ ...counters }),
    /** Hosts begin to beat, evenly spread over their interval. */
    startBeating: (): void => {
      hosts.forEach((host, i) => {
        const begin = (): void => {
          void beat(host)
          timers.push(setInterval(() => void beat(host), beatEveryMs))
        }
        timers.push(setTimeout(begin, (i * beatEveryMs) / hosts.length))
      })
    },
    startReporting: (): void => void timers.push(setInterval(someReports, tickMs)),
    close: async (): Promise<void> => {
      timers.forEach(clearInterval)
      await Promise.all(publishers.map((publisher) => publisher.close()))
      await Promise.all(rabbits.map((rabbit) => rabbit.close()))
    },
  }
}

export type Hosts = Awaited<ReturnType<typeof openHosts>>

const envelope = () => ({ version: messageVersion as 1, id: newId(), at: new Date().toISOString() })

const healthOf = (): HostHealth => ({
  ...envelope(),
  kind: 'health.host',
  epoch: 1,
  agentVersion: 'simulation',
  appliedCommand: 0,
  capacity: { cpus: 8, memoryBytes: 32e9, diskFreeBytes: 200e9, dockerVersion: '20.10.24' },
  conditions: [],
})

const startedAt = new Date().toISOString()

const stateOf = ({ id, revision }: SimulatedSession): SessionState => ({
  sessionId: id,
  revision,
  status: 'RUNNING',
  startedAt,
  readyAt: null,
  endedAt: null,
  exitCode: null,
  oomKilled: null,
  endReason: null,
  endMessage: null,
  imageDigest: null,
  lastLines: null,
  logLastSeq: null,
})

const reportOf = (state: SessionState, restart: SessionReport['restart']): SessionReport => ({
  ...envelope(),
  kind: 'status.session',
  ...state,
  restart,
})
