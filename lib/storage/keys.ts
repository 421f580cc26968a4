import { isUuid } from '../domain/ids.ts'

/** One word after another, no empty ones, none of dots alone: a key is also a path, and an address. */
const keyPattern = /^(?!.*(^|\/)\.+(\/|$))[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/
const maxKeyBytes = 512

/** Throws `TypeError` for a text that could leave its directory, or that some store would not take. */
export const checkKey = (key: string): string => {
  if (!keyPattern.test(key) || key.length > maxKeyBytes) throw new TypeError(`Not an object key: ${key.slice(0, 100)}`)
  return key
}

const id = (text: string): string => {
  if (!isUuid(text)) throw new TypeError(`Not an id: ${text}`)
  return text
}

const seqDigits = 16
const padded = (seq: number): string => String(seq).padStart(seqDigits, '0')

/** Where lines `firstSeq` to `lastSeq` of a session's log are kept. Keys of a session sort by line. */
export const logObjectKey = (sessionId: string, firstSeq: number, lastSeq: number): string =>
  `${sessionLogPrefix(sessionId)}${padded(firstSeq)}-${padded(lastSeq)}.log.gz`

/** What the keys of a session's log begin with. */
export const sessionLogPrefix = (sessionId: string): string => `logs/${id(sessionId)}/`

/** The last line in an object by such a key; undefined for any other key. */
export const lastSeqOfLogKey = (key: string): number | undefined => {
  const digits = /^logs\/[0-9a-f-]{36}\/\d{16}-(\d{16})\.log\.gz$/.exec(key)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** What the keys of all backups begin with. */
export const backupsPrefix = 'backups/'

/** Where a backup's archive is kept, and the list of what is in it. */
export const backupArchiveKey = (backupId: string): string => `${backupsPrefix}${id(backupId)}/archive.tar.gz`
export const backupIndexKey = (backupId: string): string => `${backupsPrefix}${id(backupId)}/index.gz`

/** The backup that a key belongs to; undefined for any other key. */
export const backupOfKey = (key: string): string | undefined => {
  const found = /^backups\/([^/]+)\/(archive\.tar\.gz|index\.gz)$/.exec(key)?.[1]
  return found !== undefined && isUuid(found) ? found : undefined
}
