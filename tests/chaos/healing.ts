import type { FaultRecord, Look } from './evidence.ts'

/** A host leaves what it does not know alone for 5 minutes, tells of it within 30 s, and clears it away when it is told to. */
const orphanMs = 7 * 60_000

/**
 * Servers whose hosts may still have containers and networks that nobody has told them to clear away: what they were making
 * when their state was wiped.
 */
export const stillSweeping = (faults: readonly FaultRecord[], look: Look): Set<string | null> =>
  new Set(faults.filter(({ kind, toMs }) => kind === 'wipe-state' && look.atMs < toMs + orphanMs).map(({ serverId }) => serverId))
