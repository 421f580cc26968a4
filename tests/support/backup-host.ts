import { createHash } from 'node:crypto'
import { ManManError } from '../../lib/domain/errors.ts'
import type { BackupReport, RestoreReport } from '../../lib/messages/backups.ts'
import { messageVersion, readMessage, writeMessage } from '../../lib/messages/envelope.ts'
import { type HostAnswer, type HostAskBody, type HostAskKind, hostAnswerSchemas } from '../../lib/messages/host-asks.ts'
import { requestSchema } from '../../lib/messages/requests.ts'
import { exchanges, keys, queues } from '../../lib/messages/routing.ts'
import type { Logger } from '../../lib/process/logger.ts'
import { newId } from '../../lib/process/new-id.ts'
import type { Rabbit } from '../../lib/rabbit/connect.ts'
import { makeConsumer } from '../../lib/rabbit/consumer.ts'
import { makePublisher } from '../../lib/rabbit/publisher.ts'
import { declareHostQueues, declareTopology } from '../../lib/rabbit/topology.ts'
import { eventually } from './eventually.ts'

type Of<Kind extends HostAskKind> = Extract<HostAskBody, { kind: Kind }>
type Told<Report> = Omit<Report, 'version' | 'id' | 'at' | 'kind'>

const answerLimitMs = 15_000

/** A host's side of backups and restores over real AMQP, doing what a test says. */
export const openBackupHost = async ({ rabbit, logger, serverId }: { rabbit: Rabbit; logger: Logger; serverId: string }) => {
  const publisher = makePublisher({ rabbit, name: 'backup-host' })
  const waiting = new Map<string, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  const consumer = makeConsumer({
    rabbit,
    name: 'backup-host',
    logger,
    prefetch: 0,
    noAck: true,
    queue: async (channel) => {
      await declareTopology(channel, 'classic')
      await declareHostQueues(channel, serverId, 'classic')
      return queues.hostRequests(serverId)
    },
    handle: async ({ content }) => {
      const request = readMessage(requestSchema, content)
      if (request.kind !== 'control.answer') return
      const { answer } = request
      if (answer.ok) waiting.get(request.to)?.resolve(answer.result)
      else waiting.get(request.to)?.reject(new ManManError(answer.code, answer.message))
    },
  })
  await eventually(() => consumer.consuming() && publisher.connected(), { what: 'the host listens' })

  const publish = async (routingKey: string, body: object, as = newId()): Promise<void> => {
    const content = writeMessage({ version: messageVersion, id: as, at: new Date().toISOString(), ...body })
    await publisher.publish({
      exchange: exchanges.reports,
      routingKey,
      content,
      messageId: as,
      persistent: true,
      mandatory: true,
    })
  }

  /** Asks, and asks again as a host does when it is not heard; rejects with the control plane's refusal. */
  const ask = async <Kind extends HostAskKind>(body: Of<Kind>): Promise<HostAnswer<Kind>> => {
    const id = newId()
    let timer: NodeJS.Timeout | undefined
    try {
      const answered = new Promise<unknown>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        timer = setTimeout(() => reject(new Error(`no answer to ${body.kind}`)), answerLimitMs)
      })
      answered.catch(() => undefined) // publishing may fail first
      await publish(keys.hostAsk(serverId, body.kind), body, id)
      return hostAnswerSchemas[body.kind].parse(await answered) as HostAnswer<Kind>
    } finally {
      clearTimeout(timer)
      waiting.delete(id)
    }
  }

  return {
    ask,
    reportBackup: (body: Told<BackupReport>) =>
      publish(keys.backupStatus(serverId, body.backupId), { kind: 'status.backup', ...body }),
    reportRestore: (body: Told<RestoreReport>) =>
      publish(keys.restoreStatus(serverId, body.restoreId), { kind: 'status.restore', ...body }),
    /** Uploads `archive` as the backup's, in parts; answers what `backup.complete` is to say. */
    upload: async (backupId: string, archive: Buffer, at: (address: string) => string, partBytes = 5 * 1024 * 1024) => {
      const { upload } = await ask<'backup.open'>({ kind: 'backup.open', backupId, again: false })
      const count = Math.max(1, Math.ceil(archive.length / partBytes))
      const numbers = Array.from({ length: count }, (_, index) => index + 1)
      const { urls } = await ask<'backup.parts'>({ kind: 'backup.parts', backupId, upload, numbers })
      const put = async ({ number, url }: { number: number; url: string }) => {
        const body = new Uint8Array(archive.subarray((number - 1) * partBytes, number * partBytes))
        const answer = await fetch(at(url), { method: 'PUT', body })
        if (!answer.ok) throw new Error(`PUT answered ${answer.status}`)
        return { number, etag: answer.headers.get('etag') ?? '' }
      }
      const parts = await Promise.all(urls.map(put))
      const sha256 = createHash('sha256').update(archive).digest('hex')
      const facts = { sizeBytes: archive.length, sha256, contentBytes: 2 * archive.length, entries: 3, warnings: ['w'] }
      return { kind: 'backup.complete' as const, backupId, upload, parts, ...facts }
    },
    close: async (): Promise<void> => {
      await consumer.close()
      await publisher.close()
    },
  }
}

export type BackupHost = Awaited<ReturnType<typeof openBackupHost>>
