import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * The page is one file with all its scripts and workers inside: that one script and no other, workers from blobs, nothing
 * from elsewhere. Its editor writes styles of its own.
 */
const policyFor = (scriptHash: string): string =>
  [
    "default-src 'none'",
    `script-src 'sha256-${scriptHash}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    'worker-src blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

const welcome = `# Put the admin token behind "Bearer " in Headers, below.
# Then fetch the schema, by the arrows at the lower left.
{
  servers {
    nodes { id name status }
  }
}
`

interface Page {
  html: Buffer
  compressed: Buffer
  etag: string
  policy: string
}

/**
 * GraphiQL as one page that works offline. Made at the first visit, not at start: it is 9 MB, and takes half a second to
 * load and compress; afterwards it is sent as it is, or not at all to a browser that has it.
 */
export const makeGraphiql = () => {
  let page: Promise<Page> | undefined

  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    page ??= makePage()
    const { html, compressed, etag, policy } = await page
    reply.headers({
      etag,
      vary: 'accept, accept-encoding, origin',
      'cache-control': 'private, no-cache',
      'content-security-policy': policy,
    })
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    reply.type('text/html; charset=utf-8')
    if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(html)
    return reply.header('content-encoding', 'gzip').send(compressed)
  }
}

const makePage = async (): Promise<Page> => {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  // These options end up in a script of the page as they are: never put a user's input here.
  const page = renderGraphiQL({
    title: 'ManMan',
    defaultQuery: welcome,
    headers: '{ "Authorization": "Bearer " }',
    // The default, server-sent events, is refused here.
    subscriptionsProtocol: 'WS',
  }).replace(/\r\n?/g, '\n') // as a browser reads it, and hashes what it has read
  const html = Buffer.from(page)
  const [script = ''] = /(?<=<script>)[\s\S]*?(?=<\/script)/i.exec(page) ?? []
  const hash = (of: string | Buffer, encoding: 'base64' | 'base64url') => createHash('sha256').update(of).digest(encoding)
  const compressed = await promisify(gzip)(html)
  return { html, compressed, etag: `"${hash(html, 'base64url')}"`, policy: policyFor(hash(script, 'base64')) }
}
