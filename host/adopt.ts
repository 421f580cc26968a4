import type { ObservedContainer } from './docker/observed.ts'
import { newSessionRecord, type SessionRecord, sessionRecordSchema } from './session-record.ts'

/** What a session's container carries in a label, for a host that has lost the record. See docs/decisions/0009. */
const memoSchema = sessionRecordSchema.pick({
  spec: true,
  registryAuth: true,
  restartPolicy: true,
  priority: true,
  restart: true,
  machine: true,
})

/** `machine`: boot and engine as they are now. */
export const writeMemo = (record: SessionRecord, machine: string): string => {
  const { spec, registryAuth, restartPolicy, priority, restart } = record
  return JSON.stringify({ spec, registryAuth, restartPolicy, priority, restart, machine })
}

const readMemo = (memo: string | null) => {
  try {
    return memoSchema.parse(JSON.parse(memo ?? ''))
  } catch {
    // Made by another version, or by hand. Then the session stops as every program does and is not started again.
    return undefined
  }
}

/**
 * The record of a session of which only the container is left: it goes on as it was, until the control plane says otherwise.
 * `others` are the machine's other records: a session that another one has followed is not continued a second time.
 */
export const adoptedRecord = (
  container: ObservedContainer,
  context: { environment: string; others: readonly SessionRecord[]; nowMs: number },
): SessionRecord => {
  const { sessionId, sgcId, startedAt, imageDigest } = container
  const memo = readMemo(container.memo)
  // Above every revision the lost record can have told, as those count from 1.
  const revision = Math.floor(context.nowMs / 1_000)
  return newSessionRecord({
    sessionId,
    serverGameConfigId: sgcId,
    environment: context.environment,
    spec: null,
    desired: 'run',
    ...memo,
    startedAt,
    imageDigest,
    next: followedBy(container, context.others),
    adopted: true,
    revision,
    reported: revision - 1,
  })
}

/** Ids are UUIDv7: the higher one is the later. */
const followedBy = ({ sessionId, sgcId }: ObservedContainer, others: readonly SessionRecord[]): SessionRecord['next'] => {
  const later = others.filter((other) => other.serverGameConfigId === sgcId && other.sessionId > sessionId)
  if (later.length === 0) return null
  const successor = later.find(({ restart }) => restart?.of === sessionId)
  return successor ? { kind: 'session', sessionId: successor.sessionId, begun: true } : { kind: 'nothing' }
}

/** Docker's log is read at no more than 100 lines a ms (measured), so no session has as many numbers after so long. */
const numbersPerMs = 250
/** Lines before its container was made. */
const numbersBefore = 10_000

/** A number above all that a lost log of this container can have given. */
export const lostLogNumbers = (container: Pick<ObservedContainer, 'createdAt'>, nowMs: number): number =>
  numbersBefore + numbersPerMs * Math.max(0, nowMs - Date.parse(container.createdAt))
