import { setTimeout as delay } from 'node:timers/promises'
import type { LogLine } from '../../examples/log-follower/follow-log.ts'
import { withTimeout } from '../../lib/process/retry.ts'
import type { GraphqlClient } from '../support/graphql-client.ts'
import { sessionLogPage } from '../support/operations.ts'
import type { RawLine, View } from './evidence.ts'

const pageLines = 10_000
const answerLimitMs = 15_000
const againMs = 200

type Page = Awaited<ReturnType<typeof readPage>>

const readPage = async (client: GraphqlClient, id: string, args: object) => {
  const asked = client.run(sessionLogPage, { id, ...args })
  const { session } = await withTimeout(asked, answerLimitMs, () => new Error('no answer in time'))
  if (!session) throw new Error(`session ${id} is not there`)
  return session.logs
}

/**
 * Asks again for what fails, as long as `deadlineMs` has not passed. `enough` says of an answer whether it is one, or whether
 * more is to come.
 */
const insist = async (deadlineMs: number, ask: () => Promise<Page>, enough: (page: Page) => boolean): Promise<Page> => {
  for (;;) {
    try {
      const page = await ask()
      if (enough(page) || Date.now() > deadlineMs) return page
    } catch (error) {
      if (Date.now() > deadlineMs) throw error
    }
    await delay(againMs)
  }
}

interface Reading {
  name: string
  client: GraphqlClient
  sessionId: string
  /** For the whole of it. */
  limitMs: number
}

/** Reads by pages from the first line on, also while lines are written: until `lastSeq` is known, and reached. */
export const readForward = (reading: Reading & { lastSeq: () => number | undefined }): Promise<View> =>
  asView(reading.name, async (lines) => {
    const { client, sessionId, lastSeq } = reading
    const deadlineMs = Date.now() + reading.limitMs
    let after: string | null = null
    const isAtEnd = (page?: Page): boolean =>
      page?.lines.length === 0 && !page.hasNextPage && lines.length >= (lastSeq() ?? Number.POSITIVE_INFINITY)
    for (let page: Page | undefined; !isAtEnd(page); ) {
      if (Date.now() > deadlineMs) throw new Error(`${lines.length} lines and no end after ${reading.limitMs / 1_000} s`)
      const ask = () => readPage(client, sessionId, { first: pageLines, after })
      page = await insist(deadlineMs, ask, (answer) => answer.lines.length > 0 || isAtEnd(answer))
      for (const line of page.lines) lines.push(line)
      after = page.endCursor ?? after
    }
  })

/** Reads by pages from the last line back to the first. */
export const readBackward = (reading: Reading): Promise<View> =>
  asView(reading.name, async (lines) => {
    const deadlineMs = Date.now() + reading.limitMs
    const pages: LogLine[][] = []
    let before: string | null = null
    for (let more = true; more; ) {
      const ask = () => readPage(reading.client, reading.sessionId, { last: pageLines, before })
      const page = await insist(deadlineMs, ask, () => true)
      pages.push(page.lines)
      before = page.startCursor ?? before
      more = page.hasPreviousPage
    }
    for (const line of pages.reverse().flat()) lines.push(line)
  })

/** A failure is part of what was seen, with what came before it. */
const asView = async (name: string, read: (lines: LogLine[]) => Promise<void>): Promise<View> => {
  const lines: LogLine[] = []
  const failure = await read(lines).then(
    () => null,
    (error: Error) => error.message,
  )
  return { name, lines, gaps: [], failure }
}

/** The whole log by `logDownloadUrl`. */
export const download = async (client: GraphqlClient, address: string, sessionId: string): Promise<RawLine[]> => {
  const { session } = await client.run(sessionLogPage, { id: sessionId, first: 1 })
  const response = await fetch(`${address}${session?.logDownloadUrl}`)
  if (!response.ok) throw new Error(`the download answered ${response.status}`)
  return rawLines(Buffer.from(await response.arrayBuffer()))
}

const timeChars = '2026-11-23T12:00:00.000Z'.length

/** `time stream bytes`, one line each. */
const rawLines = (text: Buffer): RawLine[] => {
  const lines: RawLine[] = []
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf(0x0a, at)
    const letters = text.indexOf(0x20, at + timeChars + 1)
    lines.push({
      at: text.toString('latin1', at, at + timeChars),
      stream: text.toString('latin1', at + timeChars + 1, letters) as RawLine['stream'],
      bytes: text.subarray(letters + 1, end),
    })
    at = end + 1
  }
  return lines
}
