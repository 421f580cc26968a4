import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from 'graphql-ws'
import { connect } from '../../examples/log-follower/connect.ts'

/** A document with the types of its result and variables: what `npm run schema` generates, or any text. */
export interface TypedDocument<Data, Variables> {
  toString(): string
  /** Carries the types; never called. */
  __apiType?: (variables: Variables) => Data
}

interface GraphqlError {
  message: string
  path?: (string | number)[]
  extensions: { code: string; [key: string]: unknown }
}

export interface GraphqlResult<Data> {
  /** HTTP status; 200 for one over WebSocket. */
  status: number
  data: Data | null
  errors: GraphqlError[]
}

/** A subscription or operation failed with errors instead of data. */
class GraphqlFailure extends Error {
  readonly errors: readonly GraphqlError[]
  constructor(errors: readonly GraphqlError[]) {
    super(errors.map(({ message, extensions }) => `${extensions?.code}: ${message}`).join('; '))
    this.name = 'GraphqlFailure'
    this.errors = errors
  }
}

export interface ResumeOptions<Data, Variables> {
  /** Variables that carry on after `last`; called when the connection or its upstream was lost. */
  resume?: (last: Data) => Variables
  signal?: AbortSignal
}

/** How long a lost subscription waits before it subscribes again. */
const resumeDelayMs = 100
const maxResumes = 300

type AnyVariables = Record<string, unknown>

/**
 * A client of the gateway for tests: one HTTP request per call, one lazy WebSocket for subscriptions.
 * `token: null` sends none.
 */
export const makeGraphqlClient = (options: { url: string; token: string | null; headers?: Record<string, string> }) => {
  const { url, token } = options
  const headers = {
    'content-type': 'application/json',
    ...(token !== null && { authorization: `Bearer ${token}` }),
    ...options.headers,
  }
  const socket = connect({ url, token })

  const request = async <Data, Variables>(
    document: TypedDocument<Data, Variables> | string,
    variables?: Variables,
  ): Promise<GraphqlResult<Data>> => {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: String(document), variables }) })
    const { data = null, errors = [] } = (await response.json()) as Partial<GraphqlResult<Data>>
    return { status: response.status, data, errors }
  }

  return {
    /** Where its subscriptions run. */
    socket,

    /** Runs a query or mutation; answers whatever comes back. */
    request,

    /** Runs a query or mutation that is expected to work: throws `GraphqlFailure` on any error, answers the data. */
    run: async <Data, Variables>(document: TypedDocument<Data, Variables> | string, variables?: Variables): Promise<Data> => {
      const { data, errors } = await request(document, variables)
      if (errors.length > 0 || data === null) throw new GraphqlFailure(errors)
      return data
    },

    /** Raw results of an operation over WebSocket, errors included. Ends the operation when the reader stops. */
    results: <Data>(document: TypedDocument<Data, never> | string, variables?: AnyVariables, extensions?: AnyVariables) =>
      resultsOf<Data>(socket, String(document), variables, extensions),

    /**
     * Data of a subscription. Throws `GraphqlFailure` on errors; with `resume` those that mean a lost connection or
     * upstream start it again instead, carrying on after the last event seen. `signal` ends it, also while nothing comes.
     */
    subscribe: <Data, Variables extends AnyVariables>(
      document: TypedDocument<Data, Variables> | string,
      variables: Variables,
      { resume, signal }: ResumeOptions<Data, Variables> = {},
    ): AsyncIterable<Data> =>
      withResume(
        (current) => dataOf<Data>(resultsOf(socket, String(document), current, undefined, signal)),
        variables,
        resume,
        signal,
      ),

    close: async (): Promise<void> => {
      // Rejects with what ended a connection that was still being made.
      await Promise.resolve(socket.dispose()).catch(() => undefined)
    },
  }
}

export type GraphqlClient = ReturnType<typeof makeGraphqlClient>

async function* resultsOf<Data>(
  socket: Client,
  query: string,
  variables?: AnyVariables,
  extensions?: AnyVariables,
  signal?: AbortSignal,
): AsyncGenerator<GraphqlResult<Data>> {
  const results = socket.iterate<Data>({ query, variables, extensions })
  // A reader that waits for the next event could not be told to stop by the generators around it.
  signal?.addEventListener('abort', () => void results.return?.(), { once: true })
  try {
    for await (const { data = null, errors = [] } of results) {
      yield { status: 200, data: data as Data | null, errors: errors as unknown as GraphqlError[] }
    }
  } catch (error) {
    // A refused operation; anything else is the connection's end.
    if (!Array.isArray(error)) throw error
    yield { status: 200, data: null, errors: error as GraphqlError[] }
  }
}

async function* dataOf<Data>(results: AsyncIterable<GraphqlResult<Data>>): AsyncGenerator<Data> {
  for await (const { data, errors } of results) {
    if (errors.length > 0 || data === null) throw new GraphqlFailure(errors)
    yield data
  }
}

async function* withResume<Data, Variables>(
  start: (variables: Variables) => AsyncIterable<Data>,
  variables: Variables,
  resume: ((last: Data) => Variables) | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Data> {
  let current = variables
  for (let resumes = 0; ; resumes++) {
    try {
      for await (const data of start(current)) {
        if (signal?.aborted) return
        if (resume) current = resume(data)
        yield data
      }
      return
    } catch (error) {
      if (signal?.aborted) return
      if (!resume || !isLost(error) || resumes >= maxResumes) throw error
      await delay(resumeDelayMs)
    }
  }
}

/** A close event of the socket, or the gateway's word that something behind it was lost. */
const isLost = (error: unknown): boolean =>
  !(error instanceof GraphqlFailure) || error.errors.some(({ extensions }) => resumable.has(extensions?.code))

const resumable = new Set(['UPSTREAM_LOST', 'UNAVAILABLE'])
