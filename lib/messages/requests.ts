import { z } from 'zod'
import { errorCodes } from '../domain/errors.ts'
import { envelope } from './envelope.ts'
import { logLinesSchema } from './logs.ts'
import { sessionSpecSchema } from './session-spec.ts'

/** Requests: answered by a host at once or not at all. Transient; a host that is away answers nothing and keeps nothing. */
export const sessionInputSchema = envelope('session.input', {
  sessionId: z.uuid(),
  actor: z.string(),
  /** One line, without its newline. */
  input: z.string(),
  /** The same key writes once, across restarts of the agent, as long as the host remembers it (the last 10,000). */
  idempotencyKey: z.string().nullable(),
})

/** Asks for the session's lines to be published live, for `leaseMs` from now. Renewing is the same request again. */
export const sessionWatchSchema = envelope('session.watch', { sessionId: z.uuid(), leaseMs: z.number().int().positive() })

/** Asks for what the session's container uses to be published every 2 s, for `leaseMs` from now. */
export const statsWatchSchema = envelope('stats.watch', { sessionId: z.uuid(), leaseMs: z.number().int().positive() })

/** Reads lines the host keeps: those after `afterSeq`, or the last `tail` ones. */
export const logsReadSchema = envelope('logs.read', {
  sessionId: z.uuid(),
  from: z.union([z.object({ afterSeq: z.number().int().nonnegative() }), z.object({ tail: z.number().int().positive() })]),
  maxLines: z.number().int().positive(),
  maxBytes: z.number().int().positive(),
})

/** Tells how far sessions' logs are archived: the host may let go of those lines. */
export const logsArchivedSchema = envelope('logs.archived', {
  sessions: z.array(z.object({ sessionId: z.uuid(), lastSeq: z.number().int().nonnegative() })).min(1),
})

/** Asks what the next start of a deployment would change in its files. Its secrets are sealed for the host, as in a start. */
export const filesPreviewSchema = envelope('files.preview', {
  serverGameConfigId: z.uuid(),
  spec: sessionSpecSchema.pick({ files: true, values: true, secrets: true }),
})

/** The control plane's answer to what this host asked (`host-asks.ts`); it wants no reply itself. */
export const controlAnswerSchema = envelope('control.answer', {
  /** The message id of what was asked. */
  to: z.uuid(),
  answer: z.union([
    z.object({ ok: z.literal(true), result: z.unknown() }),
    z.object({ ok: z.literal(false), code: z.enum(errorCodes), message: z.string() }),
  ]),
})

export const requestSchema = z.discriminatedUnion('kind', [
  sessionInputSchema,
  sessionWatchSchema,
  statsWatchSchema,
  logsReadSchema,
  logsArchivedSchema,
  filesPreviewSchema,
  controlAnswerSchema,
])
export type Request = z.infer<typeof requestSchema>
export type RequestKind = Request['kind']

type BodyOf<R> = R extends Request ? Omit<R, 'version' | 'id' | 'at'> : never
/** A request before its envelope is put on. */
export type RequestBody = BodyOf<Request>

/** What the host knows of a session's log. Lines before `firstSeq` were dropped by retention; `lastSeq` 0 means none yet. */
export const logExtentSchema = z.object({ firstSeq: z.number().int().positive(), lastSeq: z.number().int().nonnegative() })

export const replyResultSchemas = {
  'session.input': z.object({ writtenAt: z.iso.datetime() }),
  'session.watch': logExtentSchema,
  'stats.watch': z.object({}),
  'logs.read': logExtentSchema.extend({ batch: logLinesSchema.nullable() }),
  'logs.archived': z.object({}),
  /** Null where the deployment has no volume yet. A diff is null when there is too much to be shown. */
  'files.preview': z.object({
    files: z.array(z.object({ path: z.string(), exists: z.boolean(), diff: z.string().nullable() })).nullable(),
  }),
  'control.answer': z.object({}),
} as const satisfies Record<RequestKind, z.ZodType>

export type ReplyResult<Kind extends RequestKind> = z.infer<(typeof replyResultSchemas)[Kind]>

/** The answer; which request it belongs to stands in the message's correlation id. */
export const replySchema = z.union([
  envelope('reply', { ok: z.literal(true), result: z.unknown() }),
  envelope('reply', { ok: z.literal(false), code: z.enum(errorCodes), message: z.string() }),
])
