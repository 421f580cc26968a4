import { type Evidence, type OperationRecord, outcomeOf } from '../evidence.ts'
import { type Life, livesOf } from './lives.ts'

/** A game reads its console at once; one that ended sooner after the answer may have left the line unread. */
const unreadMs = 5_000

/** A line is applied once where it was accepted, once at most where nobody knows, and never where it was refused. */
export const inputsAreAppliedOnce = (evidence: Evidence): string[] => {
  const lives = livesOf(evidence)
  const applied = new Map<string, Life[]>()
  for (const life of lives)
    for (const { line } of life.game?.inputs ?? []) applied.set(line, [...(applied.get(line) ?? []), life])
  return evidence.operations.flatMap((record) => {
    if (record.input === null) return []
    const places = applied.get(record.input) ?? []
    const say = (what: string): string[] => [`step ${record.step}, line "${record.input}" ${what}`]
    if (places.length > 1) return say(`was applied ${places.length} times`)
    if (places.some(({ sessionId }) => sessionId !== record.sessionId)) return say('was applied in another session')
    const outcome = outcomeOf(record)
    if (places.length === 1) return outcome === 'refused' || outcome === 'unreachable' ? say(`was ${outcome}, yet applied`) : []
    return outcome === 'accepted' && !mayBeUnread(record, lives) ? say('was accepted, yet never applied') : []
  })
}

const mayBeUnread = (record: OperationRecord, lives: readonly Life[]): boolean => {
  const death = lives.find(({ sessionId }) => sessionId === record.sessionId)?.death
  const answeredAtMs = record.answers.find(({ outcome }) => outcome === 'accepted')?.answeredAtMs ?? 0
  return death != null && death.atMs < answeredAtMs + unreadMs
}
