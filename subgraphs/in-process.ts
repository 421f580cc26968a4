import { createSourceEventStream, type DocumentNode, type ExecutionResult, execute, type GraphQLError, validate } from 'graphql'
import { compileQuery, isCompiledQuery } from 'graphql-jit'
import type { Identity } from '../lib/process/identity.ts'
import type { Logger } from '../lib/process/logger.ts'
import { type Context, makeContext, type Subgraph } from './context.ts'
import { maskError, toPublicError } from './errors.ts'

/** One operation for one subgraph. The same `document` object must stand for the same text: what is compiled hangs on it. */
export interface SubgraphRequest {
  document: DocumentNode
  variables?: Record<string, unknown>
  /** A signed identity; without a valid one the subgraph refuses, as it does over HTTP. */
  identity: string | undefined
}

/**
 * A subgraph called in memory, with the manners of one behind HTTP: it checks the identity, answers errors as results
 * (public ones only), and never throws. An iterable from `subscribe` ends after an error, which is its last result;
 * ending it early ends the source.
 */
export const makeInProcessSubgraph = (options: {
  subgraph: Subgraph
  verifyIdentity: (token: unknown) => Promise<Identity>
  logger: Logger
}) => {
  const { schema, name } = options.subgraph
  const logger = options.logger.child({ subgraph: name })
  const prepare = makePrepare(options.subgraph)
  const failure = (error: unknown): ExecutionResult => ({
    data: null,
    errors: [error instanceof Error ? toPublicError(error, logger) : maskError(error, logger)],
  })
  const present = (result: ExecutionResult): ExecutionResult =>
    result.errors ? { ...result, data: result.data ?? null, errors: result.errors.map((e) => toPublicError(e, logger)) } : result

  return {
    name,
    download: options.subgraph.download,
    objects: options.subgraph.objects,

    execute: async (request: SubgraphRequest): Promise<ExecutionResult> => {
      try {
        const context = makeContext(await options.verifyIdentity(request.identity), options.subgraph.audit)
        const prepared = prepare(request.document, 'once')
        if ('errors' in prepared) return present(prepared)
        return present(await prepared.run({}, context, request.variables))
      } catch (error) {
        return failure(error)
      }
    },

    subscribe: async (request: SubgraphRequest): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>> => {
      try {
        const contextValue = makeContext(await options.verifyIdentity(request.identity), options.subgraph.audit)
        const { document, variables } = request
        const prepared = prepare(document, 'often')
        if ('errors' in prepared) return present(prepared)
        // Not graphql-jit's subscribe: 0.8.9 hands the operation's variables to the field in place of its arguments.
        const source = await createSourceEventStream({ schema, document, contextValue, variableValues: variables })
        if (!isAsyncIterable(source)) return present(source)
        return mapEvents(source, async (event) => present(await prepared.run(event, contextValue, variables)), failure)
      } catch (error) {
        return failure(error)
      }
    },
  }
}

interface Prepared {
  run: (
    root: unknown,
    context: Context,
    variables: Record<string, unknown> | undefined,
  ) => ExecutionResult | Promise<ExecutionResult>
}

type Invalidated = { errors: readonly GraphQLError[] }

/**
 * Validates a document at its first use and compiles it at its second: a query with ids written into it comes once, and
 * compiling costs more than running it. A subscription runs for each event, so it is compiled at once. What is known of a
 * document goes when the document does.
 */
const makePrepare = ({ schema }: Subgraph) => {
  const known = new WeakMap<DocumentNode, { prepared: Prepared | Invalidated; compiled: boolean }>()

  const compile = (document: DocumentNode): Prepared | undefined => {
    const compiled = compileQuery(schema, document)
    if (!isCompiledQuery(compiled)) return undefined
    return { run: (root, context, variables) => compiled.query(root, context, variables) }
  }
  const interpret = (document: DocumentNode): Prepared => ({
    run: (rootValue, contextValue, variableValues) => execute({ schema, document, rootValue, contextValue, variableValues }),
  })
  const check = (document: DocumentNode): Prepared | Invalidated => {
    const errors = validate(schema, document)
    return errors.length > 0 ? { errors } : interpret(document)
  }

  return (document: DocumentNode, use: 'once' | 'often'): Prepared | Invalidated => {
    const seen = known.get(document)
    const entry = seen ?? { prepared: check(document), compiled: false }
    known.set(document, entry)
    if ((seen || use === 'often') && !entry.compiled && 'run' in entry.prepared) {
      entry.prepared = compile(document) ?? entry.prepared
      entry.compiled = true
    }
    return entry.prepared
  }
}

const isAsyncIterable = (value: object): value is AsyncIterable<unknown> => Symbol.asyncIterator in value

/** Events one by one through `map`; a source that fails gives its error as the last result instead of throwing it. */
const mapEvents = (
  source: AsyncIterable<unknown>,
  map: (event: unknown) => Promise<ExecutionResult>,
  failure: (error: unknown) => ExecutionResult,
): AsyncIterableIterator<ExecutionResult> => {
  const iterator = source[Symbol.asyncIterator]()
  let ended = false
  const end = async (): Promise<IteratorReturnResult<undefined>> => {
    if (!ended) {
      ended = true
      await iterator.return?.()
    }
    return { done: true, value: undefined }
  }
  return {
    next: async () => {
      if (ended) return { done: true, value: undefined }
      try {
        const event = await iterator.next()
        if (!event.done) return { done: false, value: await map(event.value) }
        ended = true
        return { done: true, value: undefined }
      } catch (error) {
        if (ended) return { done: true, value: undefined }
        await end().catch(() => undefined)
        return { done: false, value: failure(error) }
      }
    },
    return: end,
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
