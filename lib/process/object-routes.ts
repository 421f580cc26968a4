import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** A request to a signed path of an object, as far as it counts. */
export interface ObjectRequest {
  method: 'GET' | 'PUT'
  /** With its query. */
  path: string
  range?: string
  contentLength?: number
  body?: AsyncIterable<Uint8Array>
}

export interface ObjectAnswer {
  status: number
  headers: Record<string, string>
  body: AsyncIterable<Uint8Array> | string
}

export type ServeObjects = (request: ObjectRequest) => Promise<ObjectAnswer>

export const objectsPath = '/objects/'
/** A transfer of which nothing moves for so long is given up. */
const idleLimitMs = 2 * 60_000

/**
 * `/objects/*`, streamed both ways at the pace of the slower side. Without limits of its own for bodies: what the signature
 * of a path allows is for `serve` to see.
 */
export const addObjectRoutes = (app: FastifyInstance, serve: ServeObjects): void => {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const { headers, raw } = request
      const length = headers['content-length']
      const {
        status,
        headers: shown,
        body,
      } = await serve({
        method: request.method === 'PUT' ? 'PUT' : 'GET',
        path: raw.url ?? '',
        ...(headers.range !== undefined && { range: headers.range }),
        ...(length !== undefined && { contentLength: Number(length) }),
        ...(request.method === 'PUT' && { body: raw }),
      })
      reply.code(status).headers({ ...shown, 'cache-control': 'private, no-store', 'content-security-policy': 'sandbox' })
      return reply.send(typeof body === 'string' ? body : Readable.from(body, { objectMode: false }))
    }
    const url = `${objectsPath}*`
    scope.route({ method: 'GET', url, exposeHeadRoute: false, handler: answer })
    scope.route({ method: 'PUT', url, handler: answer })
  })
}

/**
 * Ends connections whose request has not arrived whole after `wholeMs`; of objects, which may take as long as they move,
 * those that stand still.
 */
export const limitRequestTime = (app: FastifyInstance, wholeMs: number): void => {
  app.addHook('onRequest', async ({ raw }) => {
    if (raw.url?.startsWith(objectsPath)) {
      raw.setTimeout(idleLimitMs)
      return
    }
    const timer = setTimeout(() => raw.destroy(), wholeMs)
    const clear = (): void => clearTimeout(timer)
    raw.once('end', clear)
    raw.once('close', clear)
  })
}
