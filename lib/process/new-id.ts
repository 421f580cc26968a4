import { v7 } from 'uuid'

/** A new UUIDv7: sorts by time of creation, so ids are good keys and good page cursors. */
export const newId = (): string => v7()
