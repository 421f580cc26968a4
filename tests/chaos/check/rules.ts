import type { Evidence, Violation } from '../evidence.ts'
import { containersHaveSessions, liveSessionsHaveContainers, oneContainerAtATime, startsOnce } from './containers.ts'
import { endsAreTrue } from './ends.ts'
import { inputsAreAppliedOnce } from './inputs.ts'
import { nothingIsLeaked, portsHaveOneOwner } from './ports.ts'
import { historyIsUnchanged, movesAreLegal, oneLiveSession } from './rows.ts'
import { acceptedStartsRan, endsWereObeyed, failuresAreExplained, keysAreHonoured, sessionsWereAskedFor } from './starts.ts'
import { nothingUnexpected } from './unexpected.ts'

/** Each promise as a function of the evidence, which answers what breaks it. */
export const rules = {
  'no container without a session': containersHaveSessions,
  'no live session without a container': liveSessionsHaveContainers,
  'a start is applied once at most': startsOnce,
  'one container at a time in a deployment': oneContainerAtATime,
  'one live session at a time in a deployment': oneLiveSession,
  'an accepted start ran, or says why not': acceptedStartsRan,
  'no failure without a cause': failuresAreExplained,
  'no session that nobody asked for': sessionsWereAskedFor,
  'a repeated key gives the same session': keysAreHonoured,
  'who was asked to end has ended': endsWereObeyed,
  'an accepted input is applied once': inputsAreAppliedOnce,
  'every exit code and end is true': endsAreTrue,
  'no illegal transition': movesAreLegal,
  'history is unchanged': historyIsUnchanged,
  'no port is held twice': portsHaveOneOwner,
  'no port or deployment is leaked': nothingIsLeaked,
  'nothing ends or fails unexpectedly': nothingUnexpected,
} as const satisfies Record<string, (evidence: Evidence) => string[]>

export type Rule = keyof typeof rules

/** Holds the evidence against every promise. Pure. */
export const checkAll = (evidence: Evidence): Violation[] =>
  Object.entries(rules).flatMap(([rule, check]) => check(evidence).map((what) => ({ rule, what })))
