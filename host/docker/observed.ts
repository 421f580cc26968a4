import type { ContainerInspectInfo } from 'dockerode'
import { readSessionLabels } from './labels.ts'

/** A session's container as Docker shows it. */
export interface ObservedContainer {
  id: string
  sessionId: string
  sgcId: string
  /** Paused and restarting count as running; what Docker fails to remove, as exited. */
  state: 'created' | 'running' | 'exited'
  /** Null until it has exited. */
  exitCode: number | null
  /** The game itself was killed for memory; a killed child of it does not count. */
  oomKilled: boolean
  /** RFC 3339; null when it never ran. */
  startedAt: string | null
  /** RFC 3339; null until it has exited. */
  finishedAt: string | null
  /** Digest of the image's configuration. */
  imageDigest: string
  /** RFC 3339. */
  createdAt: string
  specHash: string | null
  /** What `ContainerSpec.memo` was. */
  memo: string | null
  tty: boolean
}

const killedExitCode = 137

const stateOf = (status: string): ObservedContainer['state'] => {
  if (status === 'created') return 'created'
  return status === 'running' || status === 'paused' || status === 'restarting' ? 'running' : 'exited'
}

/** Docker's zero time means never. */
const timeOf = (text: string | undefined): string | null => (!text || text.startsWith('0001-') ? null : text)

/** Docker's inspect answer as ours; null for a container that is not a session's. */
export const observe = (info: ContainerInspectInfo): ObservedContainer | null => {
  const labels = readSessionLabels(info.Config.Labels)
  if (labels === null) return null
  const state = stateOf(info.State.Status)
  const exited = state === 'exited'
  return {
    id: info.Id,
    sessionId: labels.sessionId,
    sgcId: labels.sgcId,
    state,
    exitCode: exited ? info.State.ExitCode : null,
    oomKilled: exited && info.State.OOMKilled && info.State.ExitCode === killedExitCode,
    startedAt: state === 'created' ? null : timeOf(info.State.StartedAt),
    finishedAt: exited ? timeOf(info.State.FinishedAt) : null,
    imageDigest: info.Image,
    createdAt: info.Created,
    specHash: labels.specHash,
    memo: labels.memo,
    tty: info.Config.Tty,
  }
}
