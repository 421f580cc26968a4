import { z } from 'zod'
import { endReasons, sessionStatuses } from '../domain/session-states.ts'
import { envelope } from './envelope.ts'

const sessionState = {
  sessionId: z.uuid(),
  revision: z.number().int().positive(),
  status: z.enum(sessionStatuses).exclude(['PENDING', 'LOST']),
  startedAt: z.iso.datetime().nullable(),
  readyAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
  exitCode: z.number().int().nullable(),
  oomKilled: z.boolean().nullable(),
  endReason: z.enum(endReasons).nullable(),
  /** The reason in the operator's words, for FAILED and CRASHED. */
  endMessage: z.string().nullable(),
  imageDigest: z.string().nullable(),
  /** The last lines before a crash, oldest first, at most 50. */
  lastLines: z.array(z.string()).nullable(),
  /** Number of the session's last log line, once it has ended. */
  logLastSeq: z.number().int().nonnegative().nullable(),
}

/**
 * The whole state of one session, as its host knows it: a later report replaces an earlier one, so none needs the others.
 * `revision` counts up per session; what is not above the last one applied changes nothing.
 */
export const sessionStatusSchema = envelope('status.session', {
  ...sessionState,
  /** For a session the host has begun by itself, by the restart policy; null for one that was commanded. */
  restart: z
    .object({
      serverGameConfigId: z.uuid(),
      /** The session it continues. */
      of: z.uuid(),
      /** How that one ended, so that one transaction ends it and begins this one; null when the host no longer knows. */
      previous: z.object(sessionState).nullable(),
      /** Sessions in between that ended while nobody could be told, and are only counted. */
      collapsed: z.number().int().nonnegative(),
    })
    .nullable(),
})
export type SessionReport = z.infer<typeof sessionStatusSchema>
export type SessionState = Omit<SessionReport, 'version' | 'id' | 'kind' | 'at' | 'restart'>

export const conditionSchema = z.object({
  /** DISK_LOW, DOCKER_DOWN, … */
  kind: z.string(),
  message: z.string(),
  since: z.iso.datetime(),
})

/** A sign of life, every few seconds. Transient: an old one must not revive a dead host. */
export const hostHealthSchema = envelope('health.host', {
  /** Grows with every start of the agent: the higher one is the agent that counts. */
  epoch: z.number().int().positive(),
  agentVersion: z.string(),
  /** Highest command number the host has applied. */
  appliedCommand: z.number().int().nonnegative(),
  capacity: z
    .object({
      cpus: z.number(),
      memoryBytes: z.number().int(),
      diskFreeBytes: z.number().int().nullable(),
      dockerVersion: z.string(),
    })
    .nullable(),
  conditions: z.array(conditionSchema),
})
export type HostHealth = z.infer<typeof hostHealthSchema>
export type ServerCondition = z.infer<typeof conditionSchema>
