import { setTimeout as delay } from 'node:timers/promises'
import { messageVersion, writeMessage } from '../../lib/messages/envelope.ts'
import { exchanges, keys } from '../../lib/messages/routing.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { newId } from '../../lib/process/new-id.ts'
import type { Publisher } from '../../lib/rabbit/publisher.ts'
import { type JobRecord, jobStateOf } from './job-record.ts'

const retryMs = 500

/**
 * Tells the control plane of each backup and restore whose revision the broker has not confirmed: at once, and again until it
 * has. What is unconfirmed stands in the records, and only the latest state matters.
 */
export const makeJobReporter = (options: {
  serverId: string
  publisher: Publisher
  unreported: () => JobRecord[]
  onConfirmed: (id: string, revision: number) => Promise<void>
  logger: Logger
}) => {
  const stop = new AbortController()
  let wake = (): void => undefined

  const publish = async (record: JobRecord): Promise<void> => {
    const id = newId()
    const isBackup = record.order?.kind === 'backup'
    const message = isBackup ? { kind: 'status.backup', backupId: record.id } : { kind: 'status.restore', restoreId: record.id }
    const of = { version: messageVersion, id, at: new Date().toISOString(), revision: record.revision }
    await options.publisher.publish({
      exchange: exchanges.reports,
      routingKey: (isBackup ? keys.backupStatus : keys.restoreStatus)(options.serverId, record.id),
      content: writeMessage({ ...of, ...message, ...jobStateOf(record) }),
      messageId: id,
      persistent: true,
      mandatory: true,
    })
    await options.onConfirmed(record.id, record.revision)
  }

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const outcomes = await Promise.allSettled(options.unreported().map(publish))
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed) {
        options.logger.debug({ err: failed.reason }, 'reports of backups are waiting for the broker')
        await delay(retryMs, undefined, { signal: stop.signal }).catch(() => undefined)
      } else if (options.unreported().length === 0) await woken
    }
  }
  const running = run()

  return {
    /** Some record has a new revision. */
    wake: () => wake(),
    close: async (): Promise<void> => {
      stop.abort()
      wake()
      await running
    },
  }
}
