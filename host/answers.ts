import { NotFound, OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import { toLogLines } from '../lib/messages/log-records.ts'
import type { ReplyResult, Request } from '../lib/messages/requests.ts'
import type { LogHistory, LogStore } from './logs/store.ts'
import type { Answers } from './requests.ts'
import type { SessionConsole } from './session-console.ts'
import type { TypedKeys } from './typed-keys.ts'

type Of<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>

/** Under RabbitMQ's default frame and well under any message limit; a reader asks again for more. */
const maxPageBytes = 512 * 1024

/** The host's answers to requests. */
export const makeAnswers = (options: {
  logs: LogStore
  /** The console of a session that has a running container here; undefined otherwise. */
  consoleOf: (sessionId: string) => SessionConsole | undefined
  /** True for sessions this host knows, running or ended. */
  knows: (sessionId: string) => boolean
  typedKeys: TypedKeys
  watch: (sessionId: string, leaseMs: number) => void
  archived: (sessionId: string, lastSeq: number) => Promise<void>
  watchStats: (sessionId: string, leaseMs: number) => void
  /** The control plane's answer to what this host has asked. */
  answered: (answer: Of<'control.answer'>) => void
  previewFiles: (request: Of<'files.preview'>) => Promise<ReplyResult<'files.preview'>>
}): Answers => {
  const { typedKeys } = options
  const typing = new Map<string, Promise<ReplyResult<'session.input'>>>()

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

  /** Once, however often it is asked, and whichever agent is asked. */
  const typeOnce = async (request: Of<'session.input'>, key: string): Promise<ReplyResult<'session.input'>> => {
    const before = typedKeys.get(key)
    if (before?.writtenAt) return { writtenAt: before.writtenAt }
    if (before) throw new OutcomeUnknown('This line was typed once before; whether the game has read it is not known.')
    await typedKeys.begin(key).catch((error) => {
      throw new Unavailable('The disk of this machine can not be written: nothing was typed.', { cause: error })
    })
    try {
      const result = await type(request)
      await typedKeys.end(key, result.writtenAt).catch(() => undefined) // then its repetition is told that nobody knows
      return result
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) await typedKeys.forget(key)
      throw error
    }
  }

  return {
    'session.input': (request) => {
      if (request.idempotencyKey === null) return type(request)
      const key = `${request.sessionId} ${request.idempotencyKey}`
      const underWay = typing.get(key) ?? typeOnce(request, key).finally(() => typing.delete(key))
      typing.set(key, underWay)
      return underWay
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
    'files.preview': options.previewFiles,
    'control.answer': async (answer) => {
      options.answered(answer)
      return {}
    },
    'logs.archived': async ({ sessions }) => {
      for (const { sessionId, lastSeq } of sessions) await options.archived(sessionId, lastSeq)
      return {}
    },
  }
}
