import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import {
  Conflict,
  Denied,
  type InputIssue,
  Invalid,
  ManManError,
  NotFound,
  OutcomeUnknown,
  TooMany,
  Unavailable,
} from '../lib/domain/errors.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Builder } from './builder.ts'

const namesOfShared = new Map<SharedError, string>([
  [Invalid, 'InvalidInputError'],
  [NotFound, 'NotFoundError'],
  [Conflict, 'ConflictError'],
  [Unavailable, 'UnavailableError'],
  [OutcomeUnknown, 'OutcomeUnknownError'],
  [Denied, 'ForbiddenError'],
])

/** The failures whose GraphQL types are defined here, once for all subgraphs. */
export type SharedError =
  | typeof Invalid
  | typeof NotFound
  | typeof Conflict
  | typeof Unavailable
  | typeof OutcomeUnknown
  | typeof Denied

/**
 * Adds the `Error` interface and the types of `errors`. Composition wants them alike in all subgraphs, hence one place.
 * One that only a single subgraph has is defined there, with `interfaces: ['Error']`:
 *
 *     builder.objectType(PortTaken, { name: 'PortConflictError', interfaces: ['Error'], fields: (t) => ({ conflicts: … }) })
 */
export const addErrorTypes = (builder: Builder, errors: readonly SharedError[]): void => {
  if (errors.length === 0) return
  builder.interfaceType('Error', {
    description: 'A failure that a caller can expect, as a member of a mutation result.',
    fields: (t) => ({
      code: t.exposeString('code', { description: 'Stable; the same word stands in extensions.code of GraphQL errors.' }),
      message: t.exposeString('message', { description: 'A sentence for humans.' }),
    }),
  })
  for (const error of errors) {
    if (error === Invalid) addInvalidInput(builder)
    else builder.objectType(error, { name: namesOfShared.get(error), interfaces: ['Error'], shareable: true } as never)
  }
}

const addInvalidInput = (builder: Builder): void => {
  const Issue = builder.objectRef<InputIssue>('InputIssue').implement({
    shareable: true,
    fields: (t) => ({
      path: t.exposeString('path', { description: 'Dotted, from the root of the input: ports.0.containerPort' }),
      message: t.exposeString('message'),
    }),
  })
  builder.objectType(Invalid, {
    name: namesOfShared.get(Invalid) ?? '',
    interfaces: ['Error'],
    shareable: true,
    fields: (t) => ({
      issues: t.field({ type: [Issue], resolve: ({ issues }) => [...issues], description: 'Every fault at once.' }),
    }),
  })
}

/**
 * What the one who asked may see of an error of execution. An expected failure keeps its sentence and gets its code (and
 * `issues` when input is at fault); what was made public before stays so; a fault of the request itself is
 * `INVALID_INPUT`; anything else is a defect: it is
 * logged whole under an id, and only the id leaves. Always a real `GraphQLError`: graphql-jit's own kind can't be
 * serialized by those who come after.
 */
export const toPublicError = (error: GraphQLError | Error, log: Pick<Logger, 'error'>): GraphQLError => {
  const cause = rootCause(error)
  const place = placeOf(error)
  if (cause instanceof ManManError) return new GraphQLError(cause.message, { ...place, extensions: extensionsOf(cause) })
  if (cause instanceof GraphQLError && typeof cause.extensions.code === 'string') {
    return new GraphQLError(cause.message, { ...place, extensions: cause.extensions })
  }
  // With a path it happened while fields were resolved, so it is ours; without one, the request never got that far.
  if (error instanceof GraphQLError && cause instanceof GraphQLError && !error.path) {
    return new GraphQLError(error.message, { ...place, extensions: { code: 'INVALID_INPUT' } })
  }
  return maskError(cause, log, place)
}

/** Logs `error` under a new id, and answers an error that names nothing but that id. */
export const maskError = (error: unknown, log: Pick<Logger, 'error'>, place: Place = {}): GraphQLError => {
  const errorId = randomUUID()
  log.error({ errorId, err: error, path: place.path }, 'unexpected error')
  return new GraphQLError(`Something went wrong on our side; the log has it as ${errorId}.`, {
    ...place,
    extensions: { code: 'INTERNAL_SERVER_ERROR', errorId },
  })
}

const extensionsOf = (error: ManManError) => ({
  code: error.code,
  ...(error instanceof Invalid && { issues: error.issues }),
  ...(error instanceof TooMany && error.retryAfter !== undefined && { retryAfter: error.retryAfter }),
})

/** Resolvers' errors arrive wrapped, by graphql-jit sometimes twice. */
const rootCause = (error: Error): Error => {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
  return cause
}

const placeOf = (error: Error): Place => (error instanceof GraphQLError ? { path: error.path } : {})

/** Only the path: line and column would be those of the subgraph's query, which nobody outside wrote. */
interface Place {
  path?: GraphQLError['path']
}
