import { type DocumentNode, type ExecutionResult, Kind, OperationTypeNode } from 'graphql'
import { OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import type { Identity } from '../lib/process/identity.ts'
import type { Logger } from '../lib/process/logger.ts'
import { withTimeout } from '../lib/process/retry.ts'
import { publicError } from './errors.ts'
import { type Events, mapEvents } from './events.ts'
import type { Upstream, UpstreamRequest, Upstreams } from './upstreams.ts'

/** A subgraph that answers later than this is taken for down. */
const callLimitMs = 30_000

/** What an operation carries along to each of its calls. */
export interface CallContext {
  identity: Identity
}

interface PlannedCall {
  document: DocumentNode
  variables?: Record<string, unknown>
  context?: unknown
}

/**
 * One step of a plan: calls the subgraph, as whoever asks. Never throws, or the planner would pass on the error's own
 * text; a subgraph that is missing, down or late costs its fields, and they say UNAVAILABLE.
 */
export const makeSubgraphCall =
  (deps: { upstreams: Upstreams; signIdentity: (identity: Identity) => Promise<string>; logger: Logger }) =>
  async (name: string, { document, variables, context }: PlannedCall): Promise<ExecutionResult | Events> => {
    try {
      const upstream = deps.upstreams[name]
      if (!upstream) throw new Unavailable(`The ${name} part of the graph is not running here.`)
      const identity = await deps.signIdentity((context as CallContext).identity)
      const kind = kindOf(document)
      if (kind !== OperationTypeNode.SUBSCRIPTION)
        return await callInTime(upstream, { document, variables, identity }, kind, name)
      const result = await upstream.subscribe({ document, variables, identity })
      // For an event without data the planner would send the last event's data again; an empty object keeps it from that.
      return Symbol.asyncIterator in result ? mapEvents(result, (event) => ({ ...event, data: event.data ?? {} })) : result
    } catch (error) {
      return { data: null, errors: [publicError(error, deps.logger)] }
    }
  }

/** The kind of what is sent: inside a mutation or subscription, entities are joined by queries. */
const kindOf = ({ definitions }: DocumentNode): OperationTypeNode => {
  const operation = definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION)
  return operation?.operation ?? OperationTypeNode.QUERY
}

const callInTime = (
  upstream: Upstream,
  call: UpstreamRequest,
  kind: OperationTypeNode,
  name: string,
): Promise<ExecutionResult> => {
  const late = (): Error =>
    kind === OperationTypeNode.MUTATION
      ? new OutcomeUnknown(`The ${name} part of the graph did not answer in time: it may or may not have happened.`)
      : new Unavailable(`The ${name} part of the graph did not answer in time.`)
  return withTimeout(upstream.execute({ ...call, signal: AbortSignal.timeout(callLimitMs) }), callLimitMs + 500, late)
}
