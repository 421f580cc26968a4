import { ManManError } from '../../lib/domain/errors.ts'

/** Why one file can't be written; in the operator's words, and without anything a file or value holds. */
export interface FileFault {
  path: string
  message: string
}

/** A place in the volume is not as it must be. */
export class Refused extends Error {}

/** The files of a start can't be written; lists every fault at once. `reason` is what the start fails for. */
export class FilesFailure extends ManManError {
  readonly reason: 'BAD_CONFIG' | 'DISK_FULL'
  readonly faults: readonly FileFault[]
  constructor(faults: readonly FileFault[], options?: { cause?: unknown; diskFull?: boolean }) {
    super('CONFLICT', `The files of the game can't be written: ${faults.map(({ message }) => message).join('; ')}.`, options)
    this.reason = options?.diskFull ? 'DISK_FULL' : 'BAD_CONFIG'
    this.faults = faults
  }
}

export const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | null)?.code ?? '')
