/** How patient a processor is, in ms. */
export interface Timings {
  /** A server whose row shows a sign of life younger than this is not written for a mere further one. */
  freshMs: number
  /** Silence after which a server is STALE. */
  staleAfterMs: number
  /** Silence after which a server is OFFLINE. */
  offlineAfterMs: number
  /** Silence after which the live sessions of an OFFLINE server are LOST. */
  lostAfterMs: number
  /** How long sessions' reports must have been heard before a missing one means anything. */
  settleMs: number
  /** How long after a start deadline its session is FAILED: a host that began in the last moment has to say so. */
  deadlineGraceMs: number
  /** Between two looks for what did not happen. */
  sweepEveryMs: number
  /** Between two looks for logs that are kept no longer. */
  retentionEveryMs: number
  /** An expired object of a log stays so long for those who are reading it. */
  expiredForMs: number
  /** Between two comparisons of the store with the rows of backups. */
  storeSweepEveryMs: number
  /** An upload that belongs to no backup under way is aborted when it is older. */
  uploadGraceMs: number
  /** An object that belongs to no backup is removed when it is older. */
  orphanGraceMs: number
  /** Between two looks at schedules and moves. */
  scheduleEveryMs: number
  /** After so long without a sign of the processor that has it, a run or a move is another one's. */
  leaseMs: number
  /** A step of a schedule that needs what is away is tried so long. */
  tryAgainMs: number
  /** Between two looks for users of hosts that are to be made or taken away. */
  brokerUsersEveryMs: number
  /** Between two comparisons with what the broker has. */
  brokerCompareEveryMs: number
}

/** A host gives a sign of life every 3 s: three missing ones make it STALE. */
export const defaultTimings: Timings = {
  freshMs: 2_000,
  staleAfterMs: 10_000,
  offlineAfterMs: 30_000,
  lostAfterMs: 5 * 60_000,
  settleMs: 5_000,
  deadlineGraceMs: 2_000,
  sweepEveryMs: 1_000,
  retentionEveryMs: 5 * 60_000,
  expiredForMs: 10 * 60_000,
  storeSweepEveryMs: 60 * 60_000,
  uploadGraceMs: 60 * 60_000,
  orphanGraceMs: 24 * 60 * 60_000,
  scheduleEveryMs: 1_000,
  leaseMs: 30_000,
  tryAgainMs: 60_000,
  brokerUsersEveryMs: 1_000,
  brokerCompareEveryMs: 15_000,
}
