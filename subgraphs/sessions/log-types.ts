import { Invalid } from '../../lib/domain/errors.ts'
import { type LogLines, type LogStream, logStreams, type StreamLetter, streamOfLetter } from '../../lib/messages/logs.ts'
import type { Builder } from '../builder.ts'

/** One event of a followed log, as `live` tells it. */
export interface FollowedLog {
  sessionId: string
  /** Number of the last line told so far. */
  lastSeq: number
  lines: LogLines | null
  gap: { reason: 'EXPIRED' | 'LOST_AT_SOURCE'; fromSeq: number; toSeq: number } | null
  end: boolean
}

/** Where to begin: after a line, or with the last so many. */
export type LogStart = { afterSeq: number } | { tail: number }

const maxTail = 10_000

/** Reads `after` and `tail`; throws `Invalid` for a cursor that is none, and for both together. */
export const parseLogStart = ({ after, tail }: { after?: string | null; tail?: number | null }): LogStart => {
  if (after != null && tail != null) throw Invalid.at('tail', 'can not be given together with after')
  if (tail != null && (tail < 0 || tail > maxTail)) throw Invalid.at('tail', `must be 0 to ${maxTail}`)
  if (tail != null) return { tail }
  if (after == null) return { afterSeq: 0 }
  // 15 digits stay below 2^53.
  if (!/^\d{1,15}$/.test(after)) throw Invalid.at('after', 'is not a cursor of a log')
  return { afterSeq: Number(after) }
}

export interface LogLine {
  seq: number
  at: Date
  stream: LogStream
  text: string
}

const toLogLines = (lines: LogLines | null): LogLine[] =>
  lines?.texts.map((text, index) => ({
    seq: lines.firstSeq + index,
    at: new Date(lines.at[index]!),
    stream: streamOfLetter[lines.streams[index] as StreamLetter],
    text,
  })) ?? []

const reasons = {
  EXPIRED: 'The host no longer keeps these lines.',
  LOST_AT_SOURCE: 'These lines are missing where the host should have them.',
}

export type LogTypes = ReturnType<typeof addLogTypes>

export const addLogTypes = (builder: Builder) => {
  const Stream = builder.enumType('LogStream', {
    description: 'INPUT is what an operator typed, SYSTEM what the platform did.',
    values: logStreams,
  })
  const Line = builder.objectRef<LogLine>('LogLine').implement({
    fields: (t) => ({
      seq: t.expose('seq', { type: 'SafeInt', description: 'Counts 1, 2, 3 … within a session, without holes.' }),
      at: t.expose('at', { type: 'DateTime' }),
      stream: t.expose('stream', { type: Stream }),
      text: t.exposeString('text'),
    }),
  })
  const GapKind = builder.enumType('LogGapKind', { values: ['SKIPPED_FOR_VIEWER', 'LOST_AT_SOURCE', 'EXPIRED'] as const })
  const Gap = builder.objectRef<NonNullable<FollowedLog['gap']>>('LogGap').implement({
    description: 'Lines that can not be had any more.',
    fields: (t) => ({
      kind: t.field({ type: GapKind, resolve: ({ reason }) => reason }),
      fromSeq: t.expose('fromSeq', { type: 'SafeInt', nullable: true }),
      toSeq: t.expose('toSeq', { type: 'SafeInt', nullable: true }),
      lostLines: t.field({ type: 'SafeInt', nullable: true, resolve: ({ fromSeq, toSeq }) => toSeq - fromSeq + 1 }),
      reason: t.string({ resolve: ({ reason }) => reasons[reason] }),
    }),
  })
  const Batch = builder.objectRef<FollowedLog>('SessionLogBatch').implement({
    fields: (t) => ({
      sessionId: t.exposeID('sessionId'),
      cursor: t.string({
        description: 'Give it as `after` to go on behind this batch.',
        resolve: ({ lastSeq }) => String(lastSeq),
      }),
      lines: t.field({ type: [Line], resolve: ({ lines }) => toLogLines(lines) }),
      text: t.string({
        description: 'The same lines joined by newlines, for volume.',
        resolve: ({ lines }) => lines?.texts.join('\n') ?? '',
      }),
      gap: t.expose('gap', { type: Gap, nullable: true }),
      end: t.exposeBoolean('end', { description: 'The session has ended and its last line was told; nothing follows.' }),
    }),
  })
  return { Line, Batch }
}
