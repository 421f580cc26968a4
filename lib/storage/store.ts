import { ManManError } from '../domain/errors.ts'

/** There is no object by that key: never written, or removed. */
export class ObjectMissing extends ManManError {
  constructor(key: string, options?: { cause?: unknown }) {
    super('NOT_FOUND', `There is no object ${key}.`, options)
  }
}

export interface StoredObject {
  key: string
  bytes: number
}

/**
 * Keeps whole, immutable objects by key: on any S3 service, or in a directory of this machine. Keys are made in `keys.ts`.
 * Everything rejects with `Unavailable` when the store is away or refuses; that may be tried again.
 */
export interface ObjectStore {
  /** Resolves once the object is durable. A reader sees all of it or nothing; written again, it is replaced. */
  put(key: string, body: Buffer): Promise<void>
  /** The whole object. Rejects with `ObjectMissing`. */
  get(key: string): Promise<Buffer>
  /** Already gone is success. */
  remove(keys: readonly string[]): Promise<void>
  /** Objects whose key begins with `prefix`, by key. */
  list(prefix: string): AsyncIterable<StoredObject>
  /** True when it answers and lets us in, or a sentence saying what is wrong. */
  ready(): Promise<true | string>
  close(): void
}
