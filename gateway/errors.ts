import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { type ErrorCode, errorCodes, ManManError } from '../lib/domain/errors.ts'
import type { Logger } from '../lib/process/logger.ts'

/** What `extensions.code` says of a masked error. */
export const internalErrorCode = 'INTERNAL_SERVER_ERROR'

/** HTTP statuses and headers stand beside their errors, not in them: over WebSocket they would be noise in the answer. */
const answers = new WeakMap<GraphQLError, { status: number; headers: [string, string][] }>()

/** An expected failure of the door itself. `status` is for an answer over HTTP, where most failures travel under 200. */
export const codedError = (
  code: ErrorCode,
  message: string,
  status?: number,
  facts: Record<string, unknown> = {},
): GraphQLError => {
  const error = new GraphQLError(message, { extensions: { code, ...facts } })
  if (status) answers.set(error, { status, headers: status === 401 ? [['www-authenticate', 'Bearer']] : [] })
  return error
}

/** Asked too often: 429 over HTTP, and everywhere when to come again. */
export const tooOften = (limit: string, message: string, retryAfter: number): GraphQLError => {
  const error = codedError('LIMIT_EXCEEDED', `${message}: try again in ${retryAfter} s.`, undefined, { limit, retryAfter })
  answers.set(error, { status: 429, headers: [['retry-after', String(retryAfter)]] })
  return error
}

/** graphql-js' own error about a document, with its place in it, and a code where it has none. */
export const withCode = (error: GraphQLError, code: ErrorCode): GraphQLError => {
  const { message, nodes, source, positions, extensions } = error
  return new GraphQLError(message, { nodes, source, positions, extensions: { code, ...extensions } })
}

/** The status and headers that an answer over HTTP has for the error. */
export const answerOf = (error: GraphQLError): { status: number; headers: [string, string][] } | undefined => answers.get(error)

/** The error with its HTTP status where @apollo/server looks for it. */
export const withStatus = (error: GraphQLError): GraphQLError => {
  const answer = answers.get(error)
  if (!answer) return error
  const extensions: Record<string, unknown> = {
    ...error.extensions,
    http: { status: answer.status, headers: new Map(answer.headers) },
  }
  return new GraphQLError(error.message, { path: error.path, extensions })
}

/** Any error as one that may leave: expected ones keep their sentence and code, others are logged and leave as an id. */
export const publicError = (error: unknown, logger: Logger): GraphQLError => {
  if (error instanceof GraphQLError && isOurs(error.extensions.code)) return error
  if (error instanceof ManManError) return codedError(error.code, error.message)
  return maskedError(error, logger)
}

export const maskedError = (error: unknown, logger: Logger): GraphQLError => {
  const errorId = randomUUID()
  logger.error({ errorId, err: error }, 'unexpected error')
  return new GraphQLError(`Something went wrong on our side; the log has it as ${errorId}.`, {
    extensions: { code: internalErrorCode, errorId },
  })
}

/** An error as a subgraph sent it, without its place in the subgraph's query, which nobody outside wrote. */
export const fromWire = (error: { message?: unknown; path?: unknown; extensions?: unknown }): GraphQLError =>
  new GraphQLError(String(error.message), {
    path: Array.isArray(error.path) ? error.path : undefined,
    extensions: (error.extensions ?? undefined) as Record<string, unknown> | undefined,
  })

/** Codes that only we set: router-runtime has its own for what a subgraph call threw, with that error's text. */
const isOurs = (code: unknown): boolean => code === internalErrorCode || errorCodes.some((ours) => ours === code)
