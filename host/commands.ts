import { Unavailable } from '../lib/domain/errors.ts'
import { type Command, commandSchema } from '../lib/messages/commands.ts'
import { readMessage } from '../lib/messages/envelope.ts'
import { queues } from '../lib/messages/routing.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { Rabbit } from '../lib/rabbit/connect.ts'
import { makeConsumer } from '../lib/rabbit/consumer.ts'
import { newSessionRecord, type SessionRecord } from './session-record.ts'
import type { SessionStore } from './session-store.ts'

/** What a command makes of a session's record. Pure, and the same when it is applied twice. */
export const applyCommand = (record: SessionRecord | undefined, command: Command): SessionRecord => {
  const { sessionId } = command
  if (command.kind === 'session.start') {
    // Known already: a redelivered start, or a stop that came first and binds it.
    if (record) return record
    const { serverGameConfigId, environment, spec } = command
    return newSessionRecord({ sessionId, serverGameConfigId, environment, spec, desired: 'run' })
  }
  const desired = command.kind === 'session.kill' ? 'kill' : 'stop'
  if (!record) return newSessionRecord({ sessionId, serverGameConfigId: null, environment: null, spec: null, desired })
  // A kill is never taken back by a stop, and what has ended stays as it ended.
  if (record.ended || record.desired === 'kill' || record.desired === desired) return record
  return { ...record, desired }
}

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
  logger: Logger
}) =>
  makeConsumer({
    rabbit: options.rabbit,
    name: 'commands',
    logger: options.logger,
    queue: queues.hostCommands(options.serverId),
    prefetch: 50,
    inOrder: true,
    exclusive: true, // a second agent of this identity is kept out
    deadLetter: 'reject',
    handle: async (message) => {
      const command = readMessage(commandSchema, message.content)
      if (command.number <= options.store.appliedCommand()) return
      options.logger.info(
        { kind: command.kind, number: command.number, sessionId: command.sessionId, actor: command.actor },
        'command',
      )
      try {
        await options.change(command.sessionId, (record) => applyCommand(record, command))
        await options.store.setAppliedCommand(command.number)
      } catch (error) {
        throw new Unavailable('The state of this machine can not be written.', { cause: error })
      }
    },
  })
