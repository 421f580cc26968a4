import { z } from 'zod'
import { backupTriggers } from '../domain/backup-policy.ts'
import { endReasons, sessionStatuses } from '../domain/session-states.ts'
import { envelope } from './envelope.ts'

/**
 * What other systems may build on: published on `manman.events` with the kind as its routing key, described in
 * docs/events.md. Fields are only ever added.
 */

const time = z.iso.datetime()
const serverStatus = z.enum(['ONLINE', 'STALE', 'OFFLINE'])

const server = {
  serverId: z.uuid().describe('the machine'),
  serverName: z.string().describe('its name'),
  environment: z.string().describe('its environment'),
}
const serverMove = {
  ...server,
  previousStatus: serverStatus.describe('what the last event, or the registration, said'),
  lastSeenAt: time.nullable().describe('its last sign of life'),
}

const session = {
  sessionId: z.uuid().describe('the session'),
  serverGameConfigId: z.uuid().describe('the deployment it is an execution of'),
  deploymentName: z.string().describe('its name'),
  gameName: z.string().describe('the title it runs'),
  gameConfigName: z.string().describe('how that is run'),
  ...server,
  previousStatus: z.enum(sessionStatuses).describe('its status before'),
}
const startedAt = time.nullable().describe('when its game started; null when it never did, or nobody knows')
const end = {
  startedAt,
  endedAt: time.describe('when it ended'),
  exitCode: z.number().int().nullable().describe("the game's exit code; null when there was none"),
  endReason: z.enum(endReasons).nullable().describe('why it ended, as `EndReason` in the graph'),
  endMessage: z.string().nullable().describe('the same in words'),
}

const backup = {
  backupId: z.uuid().describe('the backup'),
  serverGameConfigId: z.uuid().describe('the deployment it is of'),
  deploymentName: z.string().describe('its name'),
  gameName: z.string().describe('the title it runs'),
  gameConfigName: z.string().describe('how that is run'),
  ...server,
  trigger: z.enum(backupTriggers).describe('what it was made for, as `BackupTrigger` in the graph'),
  beganAt: time.describe('when it was asked for'),
  endedAt: time.describe('when it was stored, or had failed'),
}

export const eventSchemas = {
  'server.online': envelope('server.online', serverMove),
  'server.stale': envelope('server.stale', serverMove),
  'server.offline': envelope('server.offline', serverMove),
  'server.disk-low': envelope('server.disk-low', {
    ...server,
    message: z.string().describe('how much is left, in words'),
    diskFreeBytes: z.number().int().nullable().describe('bytes free'),
  }),
  'session.running': envelope('session.running', { ...session, startedAt }),
  'session.ready': envelope('session.ready', {
    ...session,
    startedAt,
    readyAt: time.describe('when its output showed the ready pattern'),
  }),
  'session.stopped': envelope('session.stopped', { ...session, ...end }),
  'session.crashed': envelope('session.crashed', {
    ...session,
    ...end,
    oomKilled: z.boolean().nullable().describe('it needed more memory than it may have'),
    lastLines: z.array(z.string()).nullable().describe('its last lines as the game printed them, oldest first, at most 50'),
  }),
  'session.failed': envelope('session.failed', { ...session, ...end }),
  'session.lost': envelope('session.lost', {
    ...session,
    startedAt,
    lostAt: time.describe('when its host had been silent for too long'),
  }),
  'install.failed': envelope('install.failed', {
    ...session,
    ...end,
    lastLines: z.array(z.string()).nullable().describe('its last lines, oldest first, at most 50'),
  }),
  'backup.completed': envelope('backup.completed', {
    ...backup,
    sizeBytes: z.number().int().describe('size of the archive'),
    contentBytes: z.number().int().describe('the same unpacked'),
    entries: z.number().int().describe('files, directories and links in it'),
    sha256: z.string().describe('of the archive, in hex'),
    warnings: z.array(z.string()).describe('what could not be taken as it was, in words'),
  }),
  'backup.failed': envelope('backup.failed', {
    ...backup,
    error: z.string().describe('why, in words'),
  }),
  'schedule.missed': envelope('schedule.missed', {
    scheduleId: z.uuid().describe('the schedule'),
    scheduleName: z.string().describe('its name'),
    serverGameConfigId: z.uuid().describe('the deployment it is for'),
    deploymentName: z.string().describe('its name'),
    ...server,
    dueAt: time.describe('when it was due'),
    earlier: z.number().int().nonnegative().describe('how many due times before it were missed as well'),
    reason: z.string().describe('why, in words'),
  }),
  'deadletter.added': envelope('deadletter.added', {
    letterId: z.uuid().describe('its id for `manman dlq`'),
    queue: z.string().describe('the queue it was taken from'),
    routingKey: z.string().describe('the key it was published with'),
    messageKind: z.string().nullable().describe('what it says it is; null when it can not be read'),
    reason: z.string().describe('why it was given up'),
    attempts: z.number().int().positive().describe('how often it was tried'),
    bytes: z.number().int().nonnegative().describe('its size'),
  }),
} as const

export type EventKind = keyof typeof eventSchemas
export type PublicEvent = { [Kind in EventKind]: z.infer<(typeof eventSchemas)[Kind]> }[EventKind]

type BodyOf<E> = E extends PublicEvent ? Omit<E, 'version' | 'id' | 'at'> : never
/** An event before its envelope is put on. */
export type EventBody = BodyOf<PublicEvent>
