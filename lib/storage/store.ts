import { ManManError } from '../domain/errors.ts'
import type { ServeObjects } from '../process/object-routes.ts'

/** There is no object by that key: never written, or removed. */
export class ObjectMissing extends ManManError {
  constructor(key: string, options?: { cause?: unknown }) {
    super('NOT_FOUND', `There is no object ${key}.`, options)
  }
}

export interface StoredObject {
  key: string
  bytes: number
  /** By the store's clock. */
  changedAt: Date
}

/** An upload in parts that was begun, and neither completed nor aborted. */
export interface BegunUpload {
  key: string
  upload: string
  begunAt: Date
}

/** What was put as part `number`, as the answer to its PUT named it. */
export interface UploadedPart {
  number: number
  etag: string
}

/** There is no upload by that name: completed, aborted, or never begun. */
export class UploadMissing extends ManManError {
  constructor(options?: { cause?: unknown }) {
    super('NOT_FOUND', 'There is no such upload, or no longer.', options)
  }
}

/** The parts that were named are not those that are there. */
export class PartsDiffer extends ManManError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('CONFLICT', message, options)
  }
}

/**
 * Keeps whole objects by key: on any S3 service, or in a directory of this machine. Keys are made in `keys.ts`.
 * Everything rejects with `Unavailable` when the store is away or refuses; that may be tried again.
 */
export interface ObjectStore {
  /** Resolves once the object is durable. A reader sees all of it or nothing; written again, it is replaced. */
  put(key: string, body: Buffer): Promise<void>
  /** The whole object. Rejects with `ObjectMissing`. */
  get(key: string): Promise<Buffer>
  /** Piece by piece; `from` and `to` are the first and last byte, both included. Rejects with `ObjectMissing`. */
  read(key: string, range?: { from: number; to?: number }): Promise<AsyncIterable<Uint8Array>>
  /** Its size; undefined when it is not there. */
  stat(key: string): Promise<number | undefined>
  /** Already gone is success. */
  remove(keys: readonly string[]): Promise<void>
  /** Objects whose key begins with `prefix`, by key. */
  list(prefix: string): AsyncIterable<StoredObject>

  /**
   * Addresses that let whoever has them do one thing for a while: a URL, or a path at our own door for a store that has none
   * (`serve`).
   */
  signGet(key: string, options: { fileName: string; lifeMs: number }): Promise<string>
  /** For exactly so many bytes. */
  signPut(key: string, options: { bytes: number; lifeMs: number }): Promise<string>

  /** Begins an object that comes in parts: nobody sees it before it is completed. Answers the upload's name. */
  openUpload(key: string): Promise<string>
  /** Where part `number`, from 1, is PUT; the answer names it in the header `etag`. Put again, it is replaced. */
  signPart(key: string, upload: string, number: number, lifeMs: number): Promise<string>
  /**
   * Makes the object of these parts, in this order. Rejects with `PartsDiffer`, and with `UploadMissing` also when it was
   * completed before.
   */
  completeUpload(key: string, upload: string, parts: readonly UploadedPart[]): Promise<void>
  /** Already gone is success. */
  abortUpload(key: string, upload: string): Promise<void>
  /** Those of keys that begin with `prefix`. */
  uploads(prefix: string): AsyncIterable<BegunUpload>

  /** Answers at the paths it has signed; undefined where addresses lead elsewhere. */
  serve?: ServeObjects

  /** True when it answers and lets us in, or a sentence saying what is wrong. */
  ready(): Promise<true | string>
  close(): void
}
