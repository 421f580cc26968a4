import type { DocumentNode, ExecutionResult } from 'graphql'
import type { ServeObjects } from '../lib/process/object-routes.ts'

/** One operation for one subgraph. The planner gives the same `document` object whenever it means the same text. */
export interface UpstreamRequest {
  document: DocumentNode
  variables: Record<string, unknown> | undefined
  /** The signed identity of who is asking. */
  identity: string
  /** Ends the call; for a subscription `return()` of its iterator does. */
  signal?: AbortSignal
}

/**
 * A subgraph as the executor sees it, in this process or behind the network. Neither way throws for what a subgraph may
 * do: every failure is a result with public errors. A subscription's last result has errors when it ended badly;
 * `return()` of its iterator ends it also while `next()` is waiting.
 */
export interface Upstream {
  execute(request: UpstreamRequest): Promise<ExecutionResult>
  subscribe(request: UpstreamRequest): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>>
  /** What it serves by signed paths; undefined when there is nothing by this one. Rejects when it can't be reached. */
  download?(signedPath: string): Promise<Download | undefined>
  /** The same for objects, in both directions and in ranges. Rejects when it can't be reached. */
  objects?: ServeObjects
  /** True, or a sentence saying what is missing. One in this process has nothing of its own to ask. */
  ready?(): Promise<true | string>
  close?(): Promise<void>
}

export interface Download {
  contentType: string
  fileName: string
  body: AsyncIterable<Uint8Array>
}

/** By the name each subgraph has in the supergraph. */
export type Upstreams = Record<string, Upstream>
