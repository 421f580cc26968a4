import type { Logger } from '../lib/process/logger.ts'
import type { BrokerAccess } from './broker-access.ts'
import type { HostConfig } from './config.ts'
import type { SessionStore } from './session-store.ts'

/** What an agent is made with. */
export interface AgentOptions {
  config: Omit<HostConfig, 'join' | 'doorUrl' | 'amqpUrl' | 'health' | 'logLevel' | 'machineName'>
  serverId: string
  amqpUrl: string
  /** As whom it speaks to the broker; as the address says if left out, for good. */
  access?: BrokerAccess
  /** Of this host; what is sealed to its public key is opened with it. */
  privateKey: string
  /** See `startBackups`. */
  doorUrl?: string
  backupLimits?: { stallMs?: number; askLimitMs?: number }
  epoch: number
  agentVersion: string
  store: SessionStore
  /** See `makeSessions`. */
  startPatienceMs?: number
  /** See `startVolumeWatch`. */
  volumesEveryMs?: number
  /** See `keepIsolation`. */
  isolationEveryMs?: number
  /** False once another agent has taken over: then nothing is done any more. */
  holds?: () => boolean
  /** The machine has left the fleet, in order; why, for people. */
  onGone?: (why: string) => void
  logger: Logger
}
