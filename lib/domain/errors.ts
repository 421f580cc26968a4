/**
 * The one registry of error codes. They are public: `extensions.code` in GraphQL, `code` of every `Error` type, and the
 * reason of a dead letter. Never rename one.
 */
export const errorCodes = [
  'INVALID_INPUT',
  'NOT_FOUND',
  'CONFLICT',
  'PORT_CONFLICT',
  'UNAVAILABLE',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'OUTCOME_UNKNOWN',
  'UPSTREAM_LOST',
  'CURSOR_EXPIRED',
  'LIMIT_EXCEEDED',
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** An expected failure: a stable code, a sentence for humans, facts as fields. Anything else that is thrown is a defect. */
export class ManManError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** One fault of one input; `path` is dotted from the input's root, e.g. `ports.0.containerPort`. */
export interface InputIssue {
  path: string
  message: string
}

/** The input can't be accepted as it is; lists every fault at once. */
export class Invalid extends ManManError {
  readonly issues: readonly InputIssue[]
  constructor(issues: readonly InputIssue[]) {
    super('INVALID_INPUT', issues.map((issue) => `${issue.path}: ${issue.message}`).join('; '))
    this.issues = issues
  }
  static at(path: string, message: string): Invalid {
    return new Invalid([{ path, message }])
  }
}

/** Nothing by that id, or nothing the caller may see. */
export class NotFound extends ManManError {
  constructor(what: string, id: string) {
    // What was asked for may be anything, and of any length.
    super('NOT_FOUND', `There is no ${what} ${id.length > 100 ? `${id.slice(0, 100)}…` : id}.`)
  }
}

/** The state of things forbids it; doing something else first helps. */
export class Conflict extends ManManError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('CONFLICT', message, options)
  }
}

export interface TakenPort {
  port: number
  protocol: 'TCP' | 'UDP'
  /** The deployment holding it; null when something outside ManMan does. */
  serverGameConfigId: string | null
}

/** Ports asked for are held by another deployment. */
export class PortTaken extends ManManError {
  readonly taken: readonly TakenPort[]
  constructor(taken: readonly TakenPort[], message: string) {
    super('PORT_CONFLICT', message)
    this.taken = taken
  }
}

/** Something it needs is away right now: a host, a session that runs, the broker. May be tried again. */
export class Unavailable extends ManManError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('UNAVAILABLE', message, options)
  }
}

/**
 * What everything here needs is away as a whole: the database, the disk. Nobody who asks is to blame, and nothing but
 * waiting helps.
 */
export class Outage extends Unavailable {}

/** It was delivered and no answer came in time: it may have happened. */
export class OutcomeUnknown extends ManManError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('OUTCOME_UNKNOWN', message, options)
  }
}

/** The caller is known and may not do this. */
export class Denied extends ManManError {
  constructor(message: string) {
    super('FORBIDDEN', message)
  }
}

/** It was asked for too often; waiting helps. */
export class TooMany extends ManManError {
  /** Seconds after which it may be asked for again, where that is known. */
  readonly retryAfter: number | undefined
  constructor(message: string, retryAfter?: number) {
    super('LIMIT_EXCEEDED', message)
    this.retryAfter = retryAfter
  }
}

/** Nobody knows who is asking. */
export class Unauthenticated extends ManManError {
  constructor(message: string) {
    super('UNAUTHENTICATED', message)
  }
}
