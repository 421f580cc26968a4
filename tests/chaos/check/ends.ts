import type { Evidence, SessionRow } from '../evidence.ts'
import { groupBy, type Life, livesOf } from './lives.ts'

const killed = 137

/** Game, Docker and row agree on how each session ended, and the row says why as it was. */
export const endsAreTrue = (evidence: Evidence): string[] => {
  const lives = groupBy(livesOf(evidence), ({ sessionId }) => sessionId)
  return evidence.ended.sessions.flatMap((row) => {
    const wrong = faultOf(row, lives.get(row.id)?.at(-1))
    return wrong ? [`session ${row.id} (${row.status}, ${row.end_reason}, exit code ${row.exit_code}): ${wrong}`] : []
  })
}

const faultOf = (row: SessionRow, life: Life | undefined): string | undefined => {
  if (!life) return row.exit_code === null ? undefined : 'it never ran'
  if (!life.death) return 'its container never ended'
  const { exitCode } = life.death
  const told = life.game?.exit
  if (told && told.code !== exitCode) return `its game ended with ${told.code}, Docker says ${exitCode}`
  if (!told && exitCode !== killed) return `its game did not end by itself, Docker says ${exitCode}`
  // A person was quicker than its host's report: it was entered as ended, and killed.
  if (row.end_reason === 'CANCELLED' && row.created_by === 'host') return undefined
  if (row.exit_code !== exitCode) return `Docker says ${exitCode}`
  return isVerdictTrue(row, life) ? undefined : `its game ended by "${told?.why ?? 'a kill'}"`
}

const isVerdictTrue = (row: SessionRow, { game }: Life): boolean => {
  const verdict = `${row.status} ${row.end_reason}`
  const wasAsked = row.stop_requested_at !== null
  if (!game?.exit) return wasAsked && ['STOPPED KILLED', 'STOPPED KILLED_AFTER_GRACE'].includes(verdict)
  const { why, code } = game.exit
  if (why === 'told' && verdict === (code === 0 ? 'STOPPED EXITED' : 'CRASHED CRASHED')) return true
  return wasAsked && verdict === 'STOPPED REQUESTED'
}
