import { setTimeout as delay } from 'node:timers/promises'
import { RE2JS } from 're2js'
import { toLogLines } from '../../lib/messages/log-records.ts'
import type { Logger } from '../../lib/process/logger.ts'
import type { LogStore } from '../logs/store.ts'
import type { SessionConsole } from '../session-console.ts'
import { wordsOf } from './errors.ts'
import type { Order } from './job-record.ts'

const lookEveryMs = 100
/** A restarted agent takes a moment until it has the console again. */
const consoleLimitMs = 30_000
const typeLimitMs = 10_000
const page = { maxLines: 1_000, maxBytes: 256 * 1024 }

/** Types what makes a game save, and what lets it go on, and tells its log how the backup goes. */
export const makeHooks = (options: {
  consoleOf: (sessionId: string) => SessionConsole | undefined
  /** A container of it runs, or is about to. */
  isLive: (sessionId: string) => boolean
  logs: Pick<LogStore, 'open' | 'find'>
  logger: Logger
}) => {
  const { logs, isLive, logger } = options

  const waitForConsole = async (sessionId: string): Promise<SessionConsole | undefined> => {
    for (const deadline = Date.now() + consoleLimitMs; isLive(sessionId) && Date.now() < deadline; ) {
      const console = options.consoleOf(sessionId)
      if (console) return console
      await delay(lookEveryMs)
    }
    return undefined
  }

  /** A session that has ended needs none of it; what a game does not take is worth a warning, and no failed backup. */
  const type = async (sessionId: string, lines: readonly string[], warn: (text: string) => void): Promise<void> => {
    for (const line of lines) {
      try {
        const console = await waitForConsole(sessionId)
        if (!isLive(sessionId)) return
        if (!console) throw new Error('its console is not there')
        const limit = delay(typeLimitMs, 'late', { ref: false })
        if ((await Promise.race([console.type(line), limit])) === 'late') throw new Error('it does not read its console')
      } catch (error) {
        warn(`The game did not take "${line}": ${wordsOf(error)}.`)
      }
    }
  }

  const lastSeqOf = async (sessionId: string): Promise<number> => (await logs.find(sessionId))?.extent().lastSeq ?? 0

  /** Looks for the line among those after the last that was typed since `afterSeq`. */
  const waitFor = async (
    { waitFor: pattern, before, timeoutSeconds }: NonNullable<Order<'backup'>['hooks']>,
    {
      sessionId,
      afterSeq,
      warn,
      signal,
    }: { sessionId: string; afterSeq: number; warn: (text: string) => void; signal: AbortSignal },
  ): Promise<void> => {
    if (pattern === null) return
    const compiled = RE2JS.compile(pattern)
    let from = afterSeq
    let isTyped = before.length === 0
    for (const deadline = Date.now() + timeoutSeconds * 1_000; Date.now() < deadline && isLive(sessionId); ) {
      signal.throwIfAborted()
      const batch = await (await logs.find(sessionId))?.read({ afterSeq: from, ...page })
      if (!batch) {
        await delay(lookEveryMs, undefined, { signal }).catch(() => undefined)
        continue
      }
      from = batch.lastSeq
      const { texts, streams } = toLogLines(sessionId, batch)
      for (const [at, text] of texts.entries()) {
        const stream = streams[at]
        isTyped ||= stream === 'I' && text === before.at(-1)
        if (isTyped && (stream === 'O' || stream === 'E') && compiled.matcher(text).find()) return
      }
    }
    if (isLive(sessionId))
      warn(`The game printed no line that fits ${pattern} within ${timeoutSeconds} s: it may not have saved all.`)
  }

  return {
    /** A line in the session's log, where one runs. A log that can't be written keeps no backup from being made. */
    say: async (sessionId: string | null, text: string): Promise<void> => {
      if (sessionId === null || !isLive(sessionId)) return
      const log = await logs.open(sessionId).catch(() => undefined)
      await log?.system(text).catch((error) => logger.warn({ err: error, sessionId, text }, 'not written to the log'))
    },
    /** Has the game save; resolves when it has said so, or had the time for it. Fails for a pattern that is none. */
    before: async (order: Order<'backup'>, warn: (text: string) => void, signal: AbortSignal): Promise<void> => {
      const { sessionId, hooks } = order
      if (sessionId === null || hooks === null || !isLive(sessionId)) return
      await type(sessionId, hooks.before.slice(0, -1), warn)
      const afterSeq = await lastSeqOf(sessionId)
      await type(sessionId, hooks.before.slice(-1), warn)
      await waitFor(hooks, { sessionId, afterSeq, warn, signal })
    },
    /** Lets the game go on. */
    after: async ({ sessionId, hooks }: Order<'backup'>, warn: (text: string) => void): Promise<void> => {
      if (sessionId !== null && hooks !== null) await type(sessionId, hooks.after, warn)
    },
  }
}
export type Hooks = ReturnType<typeof makeHooks>
