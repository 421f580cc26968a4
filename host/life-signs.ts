import { connect } from 'node:net'
import { RE2JS } from 're2js'
import { eachRecord, type LogBatch } from '../lib/messages/log-records.ts'
import type { SessionSpec } from '../lib/messages/session-spec.ts'
import type { LogHistory } from './logs/store.ts'

interface Watched {
  pattern: RE2JS | null
  readyAt: string | null
  lastOutputMs: number
  deadPortSinceMs: number | null
  probe: NodeJS.Timeout | null
  watchdog: SessionSpec['watchdog']
}

const probeEveryMs = 5_000
const probeLimitMs = 3_000
/** Docker's proxy accepts for a game that does not, and hangs up at once: a connection that stays is the game's own. */
const staysMs = 300
const pageBytes = 256 * 1024

/**
 * Looks after running games: sees in their output when they are ready, and notices those that have gone silent or whose
 * port answers no more. Patterns are RE2, so that no pattern of a user's can hang the agent on a game's output.
 */
export const makeLifeSigns = (options: {
  /** The ready pattern was seen, once per session. */
  onReady: (sessionId: string, at: string) => void
  /** Something the watchdog waits for has changed. */
  onChange: (sessionId: string) => void
  nowMs: () => number
}) => {
  const watched = new Map<string, Watched>()

  const look = (sessionId: string, watch: Watched, batch: LogBatch): void => {
    eachRecord(batch.records, (record) => {
      if (record.stream !== 'O' && record.stream !== 'E') return true
      watch.lastOutputMs = options.nowMs()
      if (watch.readyAt !== null || watch.pattern === null) return true
      if (!watch.pattern.matcher(record.bytes.toString('utf8')).find()) return true
      watch.readyAt = new Date(record.sec * 1_000 + Math.floor(record.nanos / 1e6)).toISOString()
      options.onReady(sessionId, watch.readyAt)
      return true
    })
  }

  const probePort = async (sessionId: string, watch: Watched, port: number, host: string): Promise<void> => {
    const alive = await answers(port, host)
    const since = alive ? null : (watch.deadPortSinceMs ?? options.nowMs())
    if (since === watch.deadPortSinceMs) return
    watch.deadPortSinceMs = since
    options.onChange(sessionId)
  }

  const startProbe = (sessionId: string, watch: Watched, spec: SessionSpec): void => {
    const port = spec.ports.find(({ name, protocol }) => name === spec.watchdog?.port && protocol === 'TCP')
    if (!port) return
    const host = port.bindAddress === '0.0.0.0' ? '127.0.0.1' : port.bindAddress
    watch.probe = setInterval(() => void probePort(sessionId, watch, port.hostPort, host), probeEveryMs)
  }

  return {
    /**
     * Begins to look after a running session; its log so far is read first, as it may have become ready while no agent was
     * there. Already so is success.
     */
    watch: async (session: { sessionId: string; spec: SessionSpec; readyAt: string | null }, log: LogHistory): Promise<void> => {
      const { sessionId, spec, readyAt } = session
      if (watched.has(sessionId) || (spec.readyPattern === null && spec.watchdog === null)) return
      const pattern = spec.readyPattern === null ? null : RE2JS.compile(spec.readyPattern)
      const watch: Watched = {
        pattern,
        readyAt,
        lastOutputMs: options.nowMs(),
        deadPortSinceMs: null,
        probe: null,
        watchdog: spec.watchdog,
      }
      watched.set(sessionId, watch)
      if (spec.watchdog?.kind === 'PORT') startProbe(sessionId, watch, spec)
      for (let afterSeq = 0; pattern !== null && watch.readyAt === null; ) {
        const page = await log.read({ afterSeq, maxLines: 10_000, maxBytes: pageBytes })
        if (page === null) return
        look(sessionId, watch, page)
        afterSeq = page.lastSeq
      }
    },
    /** Lines that were just written to the session's log. */
    offer: (sessionId: string, batch: LogBatch): void => {
      const watch = watched.get(sessionId)
      if (watch) look(sessionId, watch, batch)
    },
    /** Since when the session's watchdog sees nothing of it; null while it does, or when it has none. */
    unresponsiveSinceMs: (sessionId: string): number | null => {
      const watch = watched.get(sessionId)
      if (!watch?.watchdog) return null
      return watch.watchdog.kind === 'NO_OUTPUT' ? watch.lastOutputMs : watch.deadPortSinceMs
    },
    forget: (sessionId: string): void => {
      clearInterval(watched.get(sessionId)?.probe ?? undefined)
      watched.delete(sessionId)
    },
    close: (): void => {
      for (const watch of watched.values()) clearInterval(watch.probe ?? undefined)
      watched.clear()
    },
  }
}
export type LifeSigns = ReturnType<typeof makeLifeSigns>

/** True when a TCP connection is made and kept, or answered. */
const answers = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host, timeout: probeLimitMs })
    const settle = (alive: boolean): void => {
      socket.destroy()
      resolve(alive)
    }
    socket.once('connect', () => setTimeout(() => settle(true), staysMs))
    socket.once('data', () => settle(true))
    for (const event of ['error', 'timeout', 'end', 'close'] as const) socket.once(event, () => settle(false))
  })
