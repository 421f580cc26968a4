import { Outage } from '../lib/domain/errors.ts'
import { type Command, commandSchema } from '../lib/messages/commands.ts'
import { readMessage } from '../lib/messages/envelope.ts'
import { exchanges, keys, queues } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { makeConsumer } from '../lib/rabbit/consumer.ts'
import type { JobCommand } from './backups/job-record.ts'
import { newSessionRecord, type SessionRecord } from './session-record.ts'
import type { SessionStore } from './session-store.ts'

type SessionCommand = Extract<Command, { kind: 'session.start' | 'session.stop' | 'session.kill' }>

/** What a command makes of a session's record. Pure, and the same when it is applied twice. */
export const applyCommand = (record: SessionRecord | undefined, command: SessionCommand): SessionRecord => {
  const { sessionId } = command
  if (command.kind === 'session.start') {
    // Known already: a redelivered start, or a stop that came first and binds it.
    if (record) return record
    const { serverGameConfigId, environment, spec, registryAuth, restartPolicy, priority } = command
    const wanted = { sessionId, serverGameConfigId, environment, spec, registryAuth, restartPolicy, priority }
    return newSessionRecord({ ...wanted, desired: 'run' })
  }
  const desired = command.kind === 'session.kill' ? 'kill' : 'stop'
  if (!record) return newSessionRecord({ sessionId, serverGameConfigId: null, environment: null, spec: null, desired })
  // A kill is never taken back by a stop. What has ended stays as it ended, and is not wanted again.
  if (record.desired === 'kill' || record.desired === desired) return record
  return { ...record, desired }
}

const subjectOf = (command: Command): string | null =>
  'sessionId' in command ? command.sessionId : 'serverGameConfigId' in command ? command.serverGameConfigId : 'all'

/**
 * Takes commands off the host's queue, in order. One is acknowledged once it stands in the desired state on disk; what
 * comes of it follows as status. No handler waits for Docker.
 */
export const makeCommandConsumer = (options: {
  rabbit: Rabbit
  serverId: string
  store: SessionStore
  /** Changes a session's record durably and has it brought about. */
  change: (sessionId: string, change: (record: SessionRecord | undefined) => SessionRecord) => Promise<void>
  /** Resolves once every container that has run has its record. */
  ready: () => Promise<void>
  /** The control plane waits for the next full report. */
  onAsked: () => void
  /** Resolves once it is durable that this machine leaves the fleet. */
  leave: () => Promise<void>
  /** Resolves once it is durable that a backup, a restore or its end is wanted. */
  job: (command: JobCommand) => Promise<void>
  /** Resolves once new credentials are durable, or it is certain that they can't be had. */
  renew: (command: Extract<Command, { kind: 'credentials.renew' }>) => Promise<void>
  /** The broker is (again) there, and this agent the one it listens to. */
  onReady: () => void
  logger: Logger
}) => {
  const counts = new Map<string, { applied: number; repeated: number; failed: number }>()
  const countsOf = (kind: string) => {
    const known = counts.get(kind) ?? { applied: 0, repeated: 0, failed: 0 }
    counts.set(kind, known)
    return known
  }
  const consumer = makeConsumer({
    rabbit: options.rabbit,
    name: 'commands',
    logger: options.logger,
    queue: queues.hostCommands(options.serverId),
    prefetch: 50,
    inOrder: true,
    exclusive: true, // a second agent of this identity is kept out
    deadLetter: { exchange: exchanges.reports, routingKey: keys.deadLetter(options.serverId) },
    onReady: options.onReady,
    handle: async (message) => {
      const command = readMessage(commandSchema, message.content)
      await options.ready()
      const { kind, number, actor } = command
      const count = countsOf(kind)
      if (number <= options.store.appliedCommand()) return void count.repeated++
      options.logger.info({ kind, number, actor, subject: subjectOf(command) }, 'command')
      try {
        await apply(options, command)
        await options.store.setAppliedCommand(number)
        count.applied++
        if (command.kind === 'session.report') options.onAsked()
      } catch (error) {
        count.failed++
        throw new Outage('The state of this machine can not be written.', { cause: error })
      }
    },
  })
  return {
    ...consumer,
    /** Commands since start by kind, and what came of them; one that failed is tried again. */
    counters: () => Object.fromEntries(counts),
  }
}

type Applying = Pick<Parameters<typeof makeCommandConsumer>[0], 'store' | 'change' | 'leave' | 'job' | 'renew'>

const apply = (applying: Applying, command: Command): Promise<void> => {
  if (command.kind === 'host.leave') return applying.leave()
  if (command.kind === 'config.update') return updateConfig(applying, command)
  if (command.kind === 'credentials.renew') return applying.renew(command)
  if (isJob(command)) return applying.job(command)
  return command.kind === 'session.report' ? tellAgain(applying, command) : bringAbout(applying, command)
}

const isJob = (command: Command): command is JobCommand => command.kind.startsWith('backup.') || command.kind === 'volume.discard'

/** A stop or kill binds the sessions that the restart policy has made of the one it names. */
const bringAbout = async ({ store, change }: Applying, command: SessionCommand): Promise<void> => {
  for (let sessionId: string | undefined = command.sessionId; sessionId !== undefined; ) {
    const named: SessionCommand = { ...command, sessionId }
    await change(sessionId, (record) => applyCommand(record, named))
    const next: SessionRecord['next'] | undefined = command.kind === 'session.start' ? null : store.get(sessionId)?.next
    sessionId = next?.kind === 'session' ? next.sessionId : undefined
  }
}

/** The deployment's sessions stop, and come back, as it says from now on. */
const updateConfig = async ({ store, change }: Applying, command: Extract<Command, { kind: 'config.update' }>): Promise<void> => {
  const { serverGameConfigId, stop, restartPolicy, priority } = command
  for (const record of store.all()) {
    // One that has ended counts until it is decided what follows it.
    const isDecided = record.next !== null && !record.adopted
    if (record.serverGameConfigId !== serverGameConfigId || isDecided) continue
    await change(record.sessionId, (now = record) => ({
      ...now,
      adopted: false,
      restartPolicy,
      priority: priority ?? now.priority,
      spec: now.spec && { ...now.spec, stop },
    }))
  }
}

/** Of a session that is not here there is nothing to tell: the full report that follows lacks it. */
const tellAgain = async ({ store, change }: Applying, command: Extract<Command, { kind: 'session.report' }>): Promise<void> => {
  const { sessionId, above } = command
  const known = store.get(sessionId)
  if (!known) return
  await change(sessionId, (now = known) => {
    const revision = Math.max(now.revision, above + 1)
    return { ...now, revision, reported: revision - 1 }
  })
}
