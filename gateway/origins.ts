import type { IncomingHttpHeaders } from 'node:http'
import type { GraphQLError } from 'graphql'
import { codedError } from './errors.ts'

type Headers = Pick<IncomingHttpHeaders, 'origin' | 'host'>

export interface Origins {
  /** Why a request is not taken; undefined for one that is. */
  refusal(headers: Headers): GraphQLError | undefined
  /** What lets a page read the answer; nothing for requests of our own pages, and of programs. */
  headersFor(headers: Headers): Record<string, string>
}

/**
 * Which pages may ask: our own, and those of the origins in `allowed`. A browser always says where a page is from when it
 * opens a WebSocket or posts; who says nothing is no page, and may ask.
 */
export const makeOrigins = (allowed: readonly string[]): Origins => {
  const isAllowed = (origin: string): boolean => allowed.includes(origin)
  return {
    refusal: ({ origin, host }) => {
      if (origin === undefined || isAllowed(origin) || isSame(origin, host)) return undefined
      const message = 'Requests from pages of another origin are not taken; MANMAN_CORS_ORIGINS names those that are.'
      return codedError('FORBIDDEN', message, 403, { limit: 'origin' })
    },
    headersFor: ({ origin }): Record<string, string> =>
      origin !== undefined && isAllowed(origin)
        ? {
            'access-control-allow-origin': origin,
            'access-control-allow-methods': 'GET, POST',
            'access-control-allow-headers': 'authorization, content-type, apollo-require-preflight, x-apollo-operation-name',
            'access-control-expose-headers': 'retry-after',
            'access-control-max-age': '7200',
          }
        : {},
  }
}

/** By host and port alone: in front of us somebody may have taken TLS off. */
const isSame = (origin: string, host: string | undefined): boolean =>
  host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
