import { Conflict, Invalid, ManManError, NotFound, Unavailable } from '../../lib/domain/errors.ts'
import type { EndReason } from '../../lib/domain/session-states.ts'

/** Why an image can't be had. */
export type ImageFault =
  | 'NOT_FOUND'
  | 'UNAUTHORISED'
  | 'UNREACHABLE'
  | 'RATE_LIMITED'
  | 'WRONG_PLATFORM'
  | 'BAD_REFERENCE'
  | 'DISK_FULL'
  | 'OTHER'

/** The image is not on this machine and can't be fetched; the message says why in the operator's words. */
export class ImageUnavailable extends Unavailable {
  readonly fault: ImageFault
  constructor(fault: ImageFault, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.fault = fault
  }
}

/** What a start can fail for; a subset of a session's end reasons. */
export type StartFailureReason = Extract<EndReason, 'PORT_TAKEN' | 'BAD_CONFIG' | 'DISK_FULL' | 'DOCKER_ERROR'>

/** The container can't be created or started as it is; the message says why in the operator's words. */
export class StartFailure extends ManManError {
  readonly reason: StartFailureReason
  constructor(reason: StartFailureReason, message: string, options?: { cause?: unknown }) {
    super('CONFLICT', message, options)
    this.reason = reason
  }
}

interface DockerReply {
  statusCode?: unknown
  json?: { message?: unknown } | null
  message?: unknown
  code?: unknown
  name?: unknown
}

/** Docker's own words, without the frame docker-modem puts around them. */
export const dockerMessage = (error: unknown): string => {
  const { json, message } = (error ?? {}) as DockerReply
  const text = String(json?.message ?? message ?? error)
  return text.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim()
}

export const dockerStatus = (error: unknown): number | null => {
  const status = (error as DockerReply | null)?.statusCode
  return typeof status === 'number' ? status : null
}

export const isAbort = (error: unknown): boolean => {
  const { name, code } = (error ?? {}) as DockerReply
  return name === 'AbortError' || code === 'ABORT_ERR'
}

const socketWords: Record<string, string> = {
  ENOENT: 'there is no Docker socket',
  ECONNREFUSED: 'nothing listens on the Docker socket',
  EACCES: 'this process may not open the Docker socket',
}
const lostCodes = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET'])

const translateSocketError = (error: unknown): Unavailable | null => {
  const code = String((error as DockerReply | null)?.code ?? '')
  const words = socketWords[code] ?? (lostCodes.has(code) ? 'the connection was lost or it took too long' : null)
  return words === null ? null : new Unavailable(`The Docker engine is not available: ${words} (${code}).`, { cause: error })
}

/**
 * Docker's reply as one of our errors: `NotFound`, `Conflict`, `Invalid`, or `Unavailable` when the engine is away or
 * failed. Errors that are ours already, aborts, and defects come back as they are.
 */
export const translateDockerError = (error: unknown, what: string, id: string): unknown => {
  if (error instanceof ManManError || isAbort(error)) return error
  const status = dockerStatus(error)
  if (status === 404) return new NotFound(what, id)
  if (status === 409 || status === 403) return new Conflict(dockerMessage(error), { cause: error })
  if (status === 400) return Invalid.at(what, dockerMessage(error))
  if (status !== null) return new Unavailable(`Docker could not do it: ${dockerMessage(error)}`, { cause: error })
  return translateSocketError(error) ?? error
}

/** Runs one call to Docker and translates its failure; `what` and `id` name the thing it is about. */
export const ask = async <T>(what: string, id: string, call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    throw translateDockerError(error, what, id)
  }
}
