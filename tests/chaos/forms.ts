/** How much of it: of CI, and of an afternoon. */
export const shortForm = { operations: 210, faults: 18, hosts: 2, paceMs: 350, settleLimitMs: 100_000 }

/** Also waits until hosts that were wiped have cleared away what they were making, which takes some minutes. */
export const longForm = { operations: 10_000, faults: 510, hosts: 4, paceMs: 400, settleLimitMs: 12 * 60_000 }
