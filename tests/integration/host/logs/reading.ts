import { randomUUID } from 'node:crypto'
import { makeDockerClients } from '../../../../host/docker/client.ts'
import { makeContainers } from '../../../../host/docker/containers.ts'
import { openOutput } from '../../../../host/docker/output.ts'
import { type LogReader, makeLogReader } from '../../../../host/logs/reader.ts'
import type { SessionLog } from '../../../../host/logs/session-log.ts'
import { makeLogStore } from '../../../../host/logs/store.ts'
import { eachRecord, type LogBatch, type LogRecord } from '../../../../lib/messages/log-records.ts'
import { makeLogger } from '../../../../lib/process/logger.ts'

export const recordsOf = (batch: Pick<LogBatch, 'records'> | null): LogRecord[] => {
  const records: LogRecord[] = []
  if (batch !== null) eachRecord(batch.records, (record) => records.push(record) > 0)
  return records
}

/** Everything a session's log has. */
export const readAll = async (log: Pick<SessionLog, 'read' | 'extent'>): Promise<LogRecord[]> => {
  const records: LogRecord[] = []
  for (let after = 0; after < log.extent().lastSeq; after = records.at(-1)!.seq) {
    records.push(...recordsOf(await log.read({ afterSeq: after, maxLines: 10_000, maxBytes: 1 << 20 })))
  }
  return records
}

/** One agent's reading of one container's log, as the host does it. */
export const startReading = async (options: {
  socketPath: string
  root: string
  containerId: string
  sessionId?: string
  tty?: boolean
  onLines?: (batch: LogBatch) => void | Promise<void>
}): Promise<{ log: SessionLog; reader: LogReader; stop(): Promise<void> }> => {
  const clients = makeDockerClients(options)
  const logger = makeLogger({ name: 'test', level: 'silent' })
  const containers = makeContainers({ clients, owner: { serverId: '', environment: '' }, dataDir: options.root })
  const store = makeLogStore({ root: options.root, onLines: (_, batch) => options.onLines?.(batch), logger, now: Date.now })
  const log = await store.open(options.sessionId ?? randomUUID())
  const reader = makeLogReader({
    log,
    output: (output) => openOutput(clients, options.containerId, output),
    state: async () => {
      const seen = await containers.inspect(options.containerId)
      if (seen === null) return 'gone'
      return seen.state === 'exited' ? 'ended' : seen.state
    },
    tty: options.tty ?? false,
    logger,
    now: Date.now,
  })
  return {
    log,
    reader,
    async stop() {
      await reader.close()
      await store.close()
      clients.close()
    },
  }
}
