import { LRUCache } from 'lru-cache'
import { NotFound, Unavailable } from '../lib/domain/errors.ts'
import { toLogLines } from '../lib/messages/log-records.ts'
import type { ReplyResult, Request } from '../lib/messages/requests.ts'
import type { LogHistory, LogStore } from './logs/store.ts'
import type { Answers } from './requests.ts'
import type { SessionConsole } from './session-console.ts'

type Of<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>

const rememberedInputs = 1_000
/** Under RabbitMQ's default frame and well under any message limit; a reader asks again for more. */
const maxPageBytes = 512 * 1024

/** The host's answers to requests. */
export const makeAnswers = (options: {
  logs: LogStore
  /** The console of a session that has a running container here; undefined otherwise. */
  consoleOf: (sessionId: string) => SessionConsole | undefined
  /** True for sessions this host knows, running or ended. */
  knows: (sessionId: string) => boolean
  watch: (sessionId: string, leaseMs: number) => void
  archived: (sessionId: string, lastSeq: number) => Promise<void>
  watchStats: (sessionId: string, leaseMs: number) => void
}): Answers => {
  const done = new LRUCache<string, Promise<ReplyResult<'session.input'>>>({ max: rememberedInputs })

  const historyOf = async (sessionId: string): Promise<LogHistory> => {
    const history = await options.logs.find(sessionId)
    if (history) return history
    if (!options.knows(sessionId)) throw new NotFound('session on this host:', sessionId)
    return { extent: () => ({ firstSeq: 1, lastSeq: 0 }), read: async () => null }
  }

  const type = async (request: Of<'session.input'>): Promise<ReplyResult<'session.input'>> => {
    const console = options.consoleOf(request.sessionId)
    if (!console) throw new Unavailable('The session is not running on this host.')
    return { writtenAt: (await console.type(request.input)).toISOString() }
  }

  return {
    'session.input': (request) => {
      if (request.idempotencyKey === null) return type(request)
      const key = `${request.sessionId} ${request.idempotencyKey}`
      const known = done.get(key)
      if (known) return known
      const typing = type(request)
      done.set(key, typing)
      typing.catch(() => done.delete(key)) // it did not happen: the same key may try again
      return typing
    },
    'session.watch': async (request) => {
      const history = await historyOf(request.sessionId)
      options.watch(request.sessionId, request.leaseMs)
      return history.extent()
    },
    'stats.watch': async ({ sessionId, leaseMs }) => {
      if (!options.knows(sessionId)) throw new NotFound('session on this host:', sessionId)
      options.watchStats(sessionId, leaseMs)
      return {}
    },
    'logs.read': async (request) => {
      const history = await historyOf(request.sessionId)
      const extent = history.extent()
      const afterSeq = 'tail' in request.from ? Math.max(0, extent.lastSeq - request.from.tail) : request.from.afterSeq
      const maxBytes = Math.min(request.maxBytes, maxPageBytes)
      const batch = await history.read({ afterSeq, maxLines: request.maxLines, maxBytes })
      return { ...history.extent(), batch: batch && toLogLines(request.sessionId, batch) }
    },
    'logs.archived': async ({ sessions }) => {
      for (const { sessionId, lastSeq } of sessions) await options.archived(sessionId, lastSeq)
      return {}
    },
  }
}
