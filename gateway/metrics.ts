import type { DocumentNode, ExecutionResult } from 'graphql'
import { type Metrics, makeCounts } from '../lib/process/metrics.ts'
import type { Events } from './events.ts'
import type { ExecutionRequest, Executor } from './executor.ts'
import type { Refused } from './limits.ts'
import type { SharedLogs } from './logs/shared.ts'
import { findOperation } from './operation.ts'

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * The same executor, counting. An operation goes by the field at its root, as names in documents are whatever clients like:
 * there are as many as the schema has, and `several` and `none`.
 */
export const measured = (executor: Executor, metrics: Metrics): Executor => {
  const operations = makeCounts()
  const open = makeCounts()
  const events = makeCounts()
  metrics.counter({
    name: 'manman_graphql_operations_total',
    help: 'Operations that were run, by their root field and the code of their first error, or ok',
    labels: ['operation', 'outcome'],
    read: operations.read,
  })
  metrics.gauge({
    name: 'manman_graphql_subscriptions_open',
    help: 'Subscriptions under way',
    labels: ['operation'],
    read: open.read,
  })
  metrics.counter({
    name: 'manman_graphql_events_total',
    help: 'Events sent to subscribers',
    labels: ['operation'],
    read: events.read,
  })
  const took = metrics.histogram({
    name: 'manman_graphql_duration_seconds',
    help: 'Time from a query or mutation to its answer',
    labels: ['kind'],
    buckets,
  })

  const counted = (source: Events, operation: string, onEnd?: () => void): Events => {
    const [viewers, told] = [open.at({ operation }), events.at({ operation })]
    viewers.value++
    let isOpen = true
    const end = (): void => {
      if (!isOpen) return
      viewers.value--
      isOpen = false
      onEnd?.()
    }
    return {
      next: async () => {
        const event = await source.next()
        if (event.done) end()
        else told.value++
        return event
      },
      return: () => {
        end()
        return source.return?.() ?? Promise.resolve({ done: true, value: undefined })
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  return {
    schema: executor.schema,
    execute: async (request) => {
      const startedAt = performance.now()
      const result = await executor.execute(request)
      const { name, kind } = describe(request)
      took({ kind }, (performance.now() - startedAt) / 1_000)
      operations.add({ operation: name, outcome: outcomeOf(result) })
      return result
    },
    subscribe: async (request) => {
      const result = await executor.subscribe(request)
      const { name } = describe(request)
      const isOpen = Symbol.asyncIterator in result
      operations.add({ operation: name, outcome: isOpen ? 'ok' : outcomeOf(result) })
      return isOpen ? counted(result, name, request.onEnd) : result
    },
  }
}

/** Counts what limits have refused. */
export const countRefused = (metrics: Metrics): Refused => {
  const counts = makeCounts()
  metrics.counter({
    name: 'manman_limits_refused_total',
    help: 'What limits have refused or cut off, by limit',
    labels: ['limit'],
    read: counts.read,
  })
  return (limit) => counts.add({ limit })
}

/** How far viewers of one log share what is read for them. */
export const showSharing = (sharedLogs: SharedLogs, metrics: Metrics): void => {
  metrics.gauge({
    name: 'manman_log_upstreams_open',
    help: 'Subscriptions to logs that the gateway has open with the subgraph, for however many viewers',
    read: sharedLogs.upstreams,
  })
  metrics.counter({
    name: 'manman_log_viewers_behind_total',
    help: 'Times that a viewer of a log read too slowly for its queue, and went on from history',
    read: sharedLogs.fellBehind,
  })
}

const described = new WeakMap<DocumentNode, { name: string; kind: string }>()

/** Of a document with several operations, the answer for one of them is good enough for all. */
const describe = ({ document, operationName }: ExecutionRequest): { name: string; kind: string } => {
  const known = described.get(document) ?? read(document, operationName)
  described.set(document, known)
  return known
}

const read = (document: DocumentNode, operationName: string | null | undefined): { name: string; kind: string } => {
  try {
    const { rootFields, kind } = findOperation(document, operationName)
    const [only, ...others] = rootFields
    return { name: only === undefined ? 'none' : others.length > 0 ? 'several' : only, kind }
  } catch {
    return { name: 'none', kind: 'none' } // a name that is not in the document, which the client is told
  }
}

const outcomeOf = ({ errors }: ExecutionResult): string => {
  const code = errors?.[0]?.extensions.code
  return errors?.length ? (typeof code === 'string' ? code : 'UNKNOWN') : 'ok'
}
