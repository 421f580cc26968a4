import type { GraphQLSchema } from 'graphql'
import type { SecretBox } from '../../lib/crypto/secret-box.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { Rate } from '../../lib/domain/buckets.ts'
import type { Logger } from '../../lib/process/logger.ts'
import type { ServeObjects } from '../../lib/process/object-routes.ts'
import type { PathSigner } from '../../lib/process/signed-path.ts'
import type { Rabbit } from '../../lib/rabbit/connect.ts'
import type { BrokerUsers } from '../../lib/rabbit/management.ts'
import type { QueueType } from '../../lib/rabbit/topology.ts'
import type { ObjectStore } from '../../lib/storage/store.ts'
import type { OidcSettings } from '../accounts/oidc.ts'
import type { Download } from '../context.ts'
import type { BrokerAccess } from '../servers/access.ts'

/** What subgraphs are made of; each takes what it needs. */
export interface PartOptions {
  db: Database
  rabbit: Rabbit
  logger: Logger
  queueType: QueueType
  /** Where the archive of logs is, and backups; closed by who made it. */
  store: ObjectStore
  /** Environment of servers that are registered without one. */
  defaultEnvironment: string
  /** What a host that enrols is told about the broker. */
  hostAccess: BrokerAccess
  /** Users of hosts at the broker; without them hosts share that of `hostAccess`. */
  brokerUsers?: BrokerUsers | undefined
  /** Signs and checks the paths of downloads. */
  paths: PathSigner
  /** How long a start may wait for its host. */
  startDeadlineMs: number
  secrets: SecretBox
  /** Lines that may be typed into each session. */
  inputRate?: Rate | undefined
  /** Whose tokens let people in; nobody's if left out. */
  oidc?: OidcSettings | undefined
}

/** What a part has done since start, and has under way. */
export interface PartFigures {
  /** Open ones, by their field. */
  subscriptions: Record<string, number>
  /** Lines told to followers of logs, and the gaps they were told of by reason. */
  logs?: { lines: number; gaps: Record<string, number> }
  /** Lines that were not typed, because of `inputRate`. */
  inputsRefused?: number
}

/** One subgraph with what lives in it. */
export interface Part {
  schema: GraphQLSchema
  download?(signedPath: string): Promise<Download | undefined>
  objects?: ServeObjects
  figures?(): PartFigures
  /** Ends its subscriptions with UPSTREAM_LOST and lets go of the broker; closes neither `db` nor `rabbit`. */
  close(): Promise<void>
}
