import { gunzipSync } from 'node:zlib'
import { readMessage } from '../../lib/messages/envelope.ts'
import { type BackupIndexLine, type HostAnswer, type HostAsk, hostAskSchema } from '../../lib/messages/host-asks.ts'
import { queues } from '../../lib/messages/routing.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeRabbit } from '../../lib/rabbit/connect.ts'
import { makeConsumer } from '../../lib/rabbit/consumer.ts'
import type { AgentHarness } from './agent-harness.ts'
import { eventually } from './eventually.ts'
import type { StorePeer } from './store-peer.ts'

type Completed = Extract<HostAsk, { kind: 'backup.complete' }>
type Refusal = { code: 'UNAVAILABLE' | 'NOT_FOUND' | 'CONFLICT'; message: string }

/** The control plane's side of backups, played for a host: uploads in a store peer, answers over the real broker. */
export const makeBackupControl = async (host: AgentHarness, store: StorePeer) => {
  const logger = makeLogger({ name: 'backup-control', level: 'error' })
  const rabbit = await makeRabbit({ url: host.amqpUrl, name: 'backup-control', logger })
  const asks: HostAsk[] = []
  const uploads = new Map<string, string>()
  const completed = new Map<string, Completed>()
  const sources = new Map<string, string>()
  let refuse: (ask: HostAsk) => Refusal | null | 'silent' = () => null
  /** What addresses begin with: the store's own, or nothing for paths at the door. */
  let prefix = store.url

  const answerTo = (ask: HostAsk): HostAnswer<HostAsk['kind']> => {
    if (ask.kind === 'backup.open') {
      const upload = (!ask.again && uploads.get(ask.backupId)) || newId()
      uploads.set(ask.backupId, upload)
      return { upload }
    }
    if (ask.kind === 'backup.parts')
      return { urls: ask.numbers.map((number) => ({ number, url: `${prefix}/${ask.upload}/${number}?signature=${newId()}` })) }
    if (ask.kind === 'backup.index') return { url: `${prefix}/${ask.backupId}/index.gz` }
    if (ask.kind === 'restore.source') return { url: `${prefix}/${sources.get(ask.restoreId)}/archive` }
    const parts = ask.parts.map(({ number }) => store.objects.get(`${ask.upload}/${number}`) ?? Buffer.alloc(0))
    store.objects.set(`${ask.backupId}/archive`, Buffer.concat(parts))
    completed.set(ask.backupId, ask)
    return {}
  }
  const consumer = makeConsumer({
    rabbit,
    name: 'host-asks',
    logger,
    queue: queues.hostAsks,
    prefetch: 10,
    handle: async (message) => {
      const ask = readMessage(hostAskSchema, message.content)
      asks.push(ask)
      const refusal = refuse(ask)
      if (refusal === 'silent') return
      const answer = refusal ? { ok: false as const, ...refusal } : { ok: true as const, result: answerTo(ask) }
      // It may be gone by now; then it asks again.
      await host.peer.request(host.serverId, { kind: 'control.answer', to: ask.id, answer }, 5_000).catch(() => undefined)
    },
  })
  await eventually(() => consumer.consuming(), { what: 'asks are consumed' })

  const order = (change: object) => ({ environment: 'agent-test', volumes: [] as string[], ...change })

  return {
    asks,
    completed,
    setRefusal: (next: typeof refuse): void => {
      refuse = next
    },
    setPrefix: (next: string): void => {
      prefix = next
    },
    backup: async (serverGameConfigId: string, change: object = {}): Promise<string> => {
      const backupId = newId()
      const usual = { sessionId: null, hooks: null, include: [], exclude: [], gzipLevel: 1, keepSpool: false }
      await host.peer.send({ kind: 'backup.create', ...order({}), backupId, serverGameConfigId, ...usual, ...change })
      return backupId
    },
    /** Of a completed backup, unless `change` says otherwise. */
    restore: async (backupId: string, serverGameConfigId: string, change: object = {}): Promise<string> => {
      const restoreId = newId()
      sources.set(restoreId, backupId)
      const { sizeBytes, sha256, contentBytes, entries } = completed.get(backupId) as Completed
      const what = { sizeBytes, sha256, contentBytes, entries, paths: null }
      await host.peer.send({ kind: 'backup.restore', ...order({}), restoreId, backupId, serverGameConfigId, ...what, ...change })
      return restoreId
    },
    isCompleted: (backupId: string): Promise<Completed> =>
      eventually(() => completed.get(backupId), { what: 'the backup is completed' }),
    failed: (id: string): Promise<string> =>
      eventually(
        () =>
          [...host.peer.backupReports, ...host.peer.restoreReports].find(
            (report) => report.status === 'FAILED' && ('backupId' in report ? report.backupId : report.restoreId) === id,
          )?.error,
        { what: 'it is reported FAILED' },
      ),
    isRestored: (restoreId: string): Promise<true> =>
      eventually(
        () => {
          const last = host.peer.restoreReports.filter((report) => report.restoreId === restoreId).at(-1)
          if (last?.status === 'FAILED') throw new Error(`the restore failed: ${last.error}`)
          return last?.status === 'COMPLETED'
        },
        { what: 'the restore is reported COMPLETED' },
      ),
    indexOf: (backupId: string): BackupIndexLine[] =>
      gunzipSync(store.objects.get(`${backupId}/index.gz`) ?? Buffer.alloc(0))
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as BackupIndexLine),
    close: async (): Promise<void> => {
      await consumer.close()
      await rabbit.close()
    },
  }
}
