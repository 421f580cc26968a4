/** Trying again would fail the same way: the job ends FAILED, with the sentence. */
export class JobFailed extends Error {
  override name = 'JobFailed'
}

/** The reason an aborted job's signal carries when it was given up in order: everything stays as it was. */
export class Cancelled extends Error {
  override name = 'Cancelled'
}

/** The agent ends: the next one goes on. */
export class Closing extends Error {
  override name = 'Closing'
}

/** Words for whatever was thrown. */
export const wordsOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? error.cause.message : undefined
  return error.message || cause || error.name
}
