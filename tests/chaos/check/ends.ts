import type { Evidence, SessionRow } from '../evidence.ts'
import { groupBy, type Life, livesOf } from './lives.ts'

const killed = 137
/** So long may the end of a game be on its way to the broker, while that is away. */
const untoldMs = 60_000

/** Game, Docker and row agree on how each session ended, and the row says why as it was. */
export const endsAreTrue = (evidence: Evidence): string[] => {
  const lives = groupBy(livesOf(evidence), ({ sessionId }) => sessionId)
  return evidence.ended.sessions.flatMap((row) => {
    const wrong = faultOf(row, lives.get(row.id)?.at(-1), evidence.faults)
    return wrong ? [`session ${row.id} (${row.status}, ${row.end_reason}, exit code ${row.exit_code}): ${wrong}`] : []
  })
}

const faultOf = (row: SessionRow, life: Life | undefined, faults: Evidence['faults']): string | undefined => {
  if (!life) return row.exit_code === null ? undefined : 'it never ran'
  if (!life.death) return 'its container never ended'
  const { exitCode } = life.death
  const told = life.game?.exit
  if (told && told.code !== exitCode) return `its game ended with ${told.code}, Docker says ${exitCode}`
  if (!told && exitCode !== killed) return `its game did not end by itself, Docker says ${exitCode}`
  // A person was quicker than its host's report: it was entered as ended, and killed.
  if (row.end_reason === 'CANCELLED' && row.created_by === 'host') return undefined
  if (isForgotten(life, faults) && saysWhatIsLeft(row, exitCode)) return undefined
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

/** Its host lost its files after the game had ended and perhaps before it had told: who asked for the end is lost with them. */
const isForgotten = ({ serverId, death }: Life, faults: Evidence['faults']): boolean =>
  faults.some(
    (fault) =>
      fault.kind === 'wipe-state' &&
      fault.serverId === serverId &&
      fault.toMs > death!.atMs &&
      fault.fromMs < death!.atMs + untoldMs,
  )

/** What the container shows, or nothing where it is gone as well. */
const saysWhatIsLeft = (row: SessionRow, exitCode: number): boolean => {
  if (row.exit_code === null) return row.end_reason === 'STATE_LOST'
  const verdict = `${row.status} ${row.end_reason}`
  return row.exit_code === exitCode && verdict === (exitCode === 0 ? 'STOPPED EXITED' : 'CRASHED CRASHED')
}
