import type { ExecutionResult, GraphQLSchema } from 'graphql'
import type { Identity } from '../../lib/process/identity.ts'
import { type Events, mapEvents } from '../events.ts'
import type { Operation } from '../operation.ts'
import { type LogStart, takePosition, toMovableLogs } from './position.ts'
import type { SharedLogs } from './shared.ts'
import type { LogSource } from './stream.ts'

interface Request {
  variables?: Record<string, unknown> | null
  identity: Identity
}

interface Deps {
  schema: GraphQLSchema
  sharedLogs: SharedLogs
  /** Never throws. */
  subscribe: (operation: Operation, request: Request) => Promise<ExecutionResult | Events>
  /** Whether they see that session at this moment. */
  maySee: (sessionId: string, identity: Identity) => Promise<boolean>
}

/**
 * Follows a log by a subscription that others may share; undefined for what is none, and must go its own way. So must who
 * does not see the session: its subgraph tells them.
 */
export const followShared = async (
  { schema, sharedLogs, subscribe, maySee }: Deps,
  operation: Operation,
  request: Request,
): Promise<ExecutionResult | Events | undefined> => {
  const logs = toMovableLogs(schema, operation)
  const asked = logs?.read(request.variables)
  if (!logs || !asked || !(await maySee(asked.sessionId, request.identity))) return undefined
  const identity = viewerOf(asked.sessionId)
  const { others } = asked

  const { responseName, merge } = logs
  const mergeResults =
    merge &&
    ((results: readonly ExecutionResult[]): ExecutionResult => ({
      data: { [responseName]: merge(results.map(({ data }) => data?.[responseName] as Record<string, unknown>)) },
    }))

  const open = async (start: LogStart): Promise<ExecutionResult | LogSource> => {
    const source = await subscribe(logs.operation, { variables: logs.variablesFor(start, others), identity })
    if (!(Symbol.asyncIterator in source)) return source
    return mapEvents(source, (result) => {
      const { event, cursor, isPlain } = takePosition(result, responseName)
      return { result: event, cursor, bytes: bytesOf(event), merge: isPlain ? mergeResults : undefined }
    })
  }
  const variables = Object.entries(others).sort(([one], [other]) => (one < other ? -1 : 1))
  return sharedLogs.subscribe(JSON.stringify([logs.id, variables, identity]), asked.start, open)
}

/** All who see it, as nobody of them: what they share must not be anybody's, and opens this one session. */
const viewerOf = (session: string): Identity => ({ sub: 'viewers', kind: 'scope', scopes: ['VIEW'], session })

const perValue = 16

/** About what a result takes of memory: its texts, and something for each value. */
const bytesOf = (value: unknown): number => {
  if (typeof value === 'string') return perValue + value.length
  if (typeof value !== 'object' || value === null) return perValue
  let bytes = perValue
  for (const inner of Object.values(value)) bytes += bytesOf(inner)
  return bytes
}
