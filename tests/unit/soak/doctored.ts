import type { LogLine } from '../../../examples/log-follower/follow-log.ts'
import type { Evidence, RawLine } from '../../soak/evidence.ts'
import { makeScript } from '../../soak/script.ts'

const pieceBytes = 262_144
const startMs = Date.UTC(2026, 10, 23, 12)

/** The evidence of a run in which everything was kept: made from the script itself, both streams in turn. */
export const honest = (): Evidence => {
  const { written, kinds } = makeScript({ seed: 1, lines: 1_500, sections: 2 })
  const typed = [
    { text: 'say 1', outcome: 'accepted' as const, why: null },
    { text: 'say 2', outcome: 'refused' as const, why: 'not running' },
    { text: 'say 3', outcome: 'unknown' as const, why: 'no answer' },
  ]
  const parts: [LogLine['stream'], Buffer][] = []
  for (let index = 0; index < Math.max(written.STDOUT.length, written.STDERR.length); index++)
    for (const stream of ['STDOUT', 'STDERR'] as const)
      for (const piece of piecesOf(written[stream][index])) parts.push([stream, piece])
  parts.splice(3, 0, ['INPUT', Buffer.from('say 1')])
  parts.unshift(['SYSTEM', Buffer.from('starting')])
  const download: RawLine[] = parts.map(([stream, bytes], at) => ({ at: new Date(startMs + at).toISOString(), stream, bytes }))
  const lines = download.map(({ at, stream, bytes }, index): LogLine => ({ seq: index + 1, at, stream, text: bytes.toString() }))
  const view = (name: string) => ({ name, lines: structuredClone(lines), gaps: [], failure: null })
  const views = ['the subscription', 'pages forward', 'the archive'].map(view)
  const session = { sessionId: 's', written, kinds, typed, views, download, resumes: 1, diedAtMs: startMs + parts.length }
  return { sessions: [session], faults: [], unaskedEnds: [] }
}

const piecesOf = (line: Buffer | undefined): Buffer[] => {
  if (line === undefined) return []
  const pieces = [line.subarray(0, pieceBytes)]
  for (let at = pieceBytes; at < line.length; at += pieceBytes) pieces.push(line.subarray(at, at + pieceBytes))
  return pieces
}
