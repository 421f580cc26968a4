/** A session's container or network that Docker has. */
interface Resource {
  sessionId: string
  createdMs: number
}

/** Younger ones may be in the making. */
const graceMs = 5 * 60_000
const maxTold = 1_000

/**
 * Sessions of which this machine has a container that never ran, or a network, and no record. They are told to the control
 * plane, and go when it says that their session has ended: by a kill, which clears away whatever there is of it.
 */
export const orphansOf = (resources: readonly Resource[], knows: (sessionId: string) => boolean, nowMs: number): string[] => {
  const old = resources.filter(({ sessionId, createdMs }) => createdMs < nowMs - graceMs && !knows(sessionId))
  return [...new Set(old.map(({ sessionId }) => sessionId))].slice(0, maxTold)
}
