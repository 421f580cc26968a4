import { ManManError } from '../domain/errors.ts'

/** It can't be read with the keys at hand, or can't be sealed for the key given. Trying again fails the same way. */
export class CannotDecrypt extends ManManError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('CONFLICT', message, options)
  }
}
