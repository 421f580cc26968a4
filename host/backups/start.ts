import type { Logger } from '../../lib/process/logger.ts'
import type { Publisher } from '../../lib/rabbit/publisher.ts'
import type { Containers } from '../docker/containers.ts'
import type { LogStore } from '../logs/store.ts'
import type { SessionConsole } from '../session-console.ts'
import { makeAsks } from './ask.ts'
import { makeDeploymentUse } from './deployment-use.ts'
import { makeHooks } from './hooks.ts'
import { makeJobReporter } from './job-reports.ts'
import type { JobStore } from './job-store.ts'
import { makeJobs } from './jobs.ts'
import { makeStoreHttp } from './store-http.ts'

/** A store that moves nothing for so long is asked again. */
const defaultStallMs = 60_000

/** Everything about backups and restores on this machine, put together. `resume` sets it going. */
export const startBackups = (options: {
  serverId: string
  dataDir: string
  diskFloorBytes: number
  backupsAtOnce: number
  /** The control plane's door, for addresses that are paths there. */
  doorUrl: string | undefined
  store: JobStore
  publisher: Publisher
  containers: Pick<Containers, 'list'>
  logs: Pick<LogStore, 'open' | 'find'>
  consoleOf: (sessionId: string) => SessionConsole | undefined
  isLive: (sessionId: string) => boolean
  /** Volumes that were being replaced are free again. */
  onFree: () => void
  /** See `makeStoreHttp`. */
  stallMs?: number
  /** See `makeAsks`. */
  askLimitMs?: number
  logger: Logger
}) => {
  const { serverId, publisher, logger, stallMs = defaultStallMs } = options
  const asks = makeAsks({ serverId, publisher, logger, limitMs: options.askLimitMs })
  const http = makeStoreHttp({ stallMs })
  const use = makeDeploymentUse(options)
  const jobs = makeJobs({
    store: options.store,
    tools: { ...options, ask: asks.ask, http, hooks: makeHooks(options), use },
    backupsAtOnce: options.backupsAtOnce,
    onUnreported: () => reporter.wake(),
    logger,
  })
  const reporter = makeJobReporter({
    serverId,
    publisher,
    unreported: jobs.unreported,
    onConfirmed: jobs.confirm,
    logger,
  })
  return {
    use,
    resume: jobs.resume,
    accept: jobs.accept,
    answered: asks.answered,
    close: async (): Promise<void> => {
      await jobs.close()
      await reporter.close()
      await http.close()
    },
  }
}
