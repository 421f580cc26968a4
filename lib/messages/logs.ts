import { z } from 'zod'

export const logStreams = ['STDOUT', 'STDERR', 'INPUT', 'SYSTEM'] as const
export type LogStream = (typeof logStreams)[number]

/** One letter per stream, on the wire and in the host's journal. */
export const streamLetters = { STDOUT: 'O', STDERR: 'E', INPUT: 'I', SYSTEM: 'S' } as const satisfies Record<LogStream, string>
export type StreamLetter = (typeof streamLetters)[LogStream]
export const streamOfLetter: Record<StreamLetter, LogStream> = { O: 'STDOUT', E: 'STDERR', I: 'INPUT', S: 'SYSTEM' }

/**
 * Consecutive lines of one session: line `i` has the number `firstSeq + i`. Columns instead of objects, as millions pass:
 * `streams` one letter a line, `at` ms since the epoch, `texts` without the newline.
 */
export const logLinesSchema = z.object({
  sessionId: z.uuid(),
  firstSeq: z.number().int().positive(),
  streams: z.string().regex(/^[OEIS]+$/),
  at: z.array(z.number()),
  texts: z.array(z.string()),
})

/** See `logLinesSchema`. Never empty. */
export type LogLines = z.infer<typeof logLinesSchema>

export const lastSeqOf = (lines: LogLines): number => lines.firstSeq + lines.streams.length - 1

/** The part of `lines` after `seq`; null when nothing is left. */
export const linesAfter = (lines: LogLines, seq: number): LogLines | null => {
  const skip = seq - lines.firstSeq + 1
  if (skip <= 0) return lines
  if (skip >= lines.streams.length) return null
  return {
    sessionId: lines.sessionId,
    firstSeq: lines.firstSeq + skip,
    streams: lines.streams.slice(skip),
    at: lines.at.slice(skip),
    texts: lines.texts.slice(skip),
  }
}
