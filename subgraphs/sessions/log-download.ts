import { isUuid } from '../../lib/domain/ids.ts'
import { eachRecord } from '../../lib/messages/log-records.ts'
import { streamOfLetter } from '../../lib/messages/logs.ts'
import type { LogReader, Records } from './log-archive.ts'
import type { Known, PageDeps } from './log-page.ts'
import type { Session } from './store.ts'

const pathPattern = /^\/logs\/([0-9a-f-]{36})\.log$/

/** Where a session's log can be had as text. */
export const downloadPath = (sessionId: string): string => `/logs/${sessionId}.log`

/** The session of such a path; undefined for any other path. */
export const sessionOfPath = (path: string): string | undefined => {
  const id = pathPattern.exec(path)?.[1]
  return id !== undefined && isUuid(id) ? id : undefined
}

/**
 * The whole log as text, piece by piece: `time stream text`, one line each, the game's own bytes as they are. Where the host
 * that has the rest can't be asked, or has lost it, the last line says so.
 */
export async function* logAsText(deps: { archive: LogReader; host: PageDeps['host'] }, session: Session): AsyncGenerator<Buffer> {
  const kept = await deps.archive.extent(session.id)
  const archived = { fromSeq: 1, toSeq: kept.lastSeq, since: null, until: null }
  for await (const chunk of deps.archive.read(session.id, archived, { backward: false, ahead: true })) yield asText(chunk)
  if (kept.isWhole) return
  const rest = { afterSeq: kept.lastSeq, toSeq: Number.MAX_SAFE_INTEGER, backward: false, count: null }
  const lastSeq = Math.max(kept.lastSeq, session.logLastSeq ?? 0)
  const known: Known = { firstSeq: kept.firstSeq, lastSeq, isSure: false }
  let told = kept.lastSeq
  for await (const chunk of deps.host(session, rest, known)) {
    yield asText(chunk)
    told = chunk.lastSeq
  }
  if (known.without === 'lost' && session.logLastSeq === told) return
  if (known.without || told < known.lastSeq) yield Buffer.from(`${new Date().toISOString()} SYSTEM ${unfinished(told, known)}\n`)
}

const unfinished = (told: number, { without }: Known): string =>
  without === 'lost'
    ? `This is the log up to line ${told}. What followed was on its host, which has it no more.`
    : `This is the log up to line ${told}. What follows is on its host, which does not answer: download it again later.`

const newline = Buffer.from('\n')

const asText = ({ records }: Records): Buffer => {
  const parts: Buffer[] = []
  eachRecord(records, ({ sec, nanos, stream, bytes }) => {
    const at = new Date(sec * 1000 + Math.floor(nanos / 1e6)).toISOString()
    parts.push(Buffer.from(`${at} ${streamOfLetter[stream]} `), bytes, newline)
    return true
  })
  return Buffer.concat(parts)
}
