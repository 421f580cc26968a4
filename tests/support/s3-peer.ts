import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startFauxqs } from 'fauxqs'

/**
 * An S3 service with one bucket, in this process. In front of what does the work stands what that lacks: the list of
 * uploads, ranges, and the file name that a signed address asks for.
 */
export const startS3Peer = async (bucket: string) => {
  const behind = await startFauxqs({ port: 0, logger: false })
  behind.createBucket(bucket)
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })
  const uploads = new Map<string, { key: string; begunAt: Date }>()

  const listUploads = (prefix: string, response: ServerResponse): void => {
    const found = [...uploads].filter(([, { key }]) => key.startsWith(prefix))
    const xml = found.map(
      ([id, { key, begunAt }]) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begunAt.toISOString()}</Initiated></Upload>`,
    )
    response.setHeader('content-type', 'application/xml')
    response.end(`<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${xml.join('')}</ListMultipartUploadsResult>`)
  }

  const note = (method: string, url: URL, answer: Buffer): void => {
    const begun = /<UploadId>([^<]+)</.exec(answer.toString())?.[1]
    const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'))
    if (method === 'POST' && url.searchParams.has('uploads') && begun) uploads.set(begun, { key, begunAt: new Date() })
    if (method === 'DELETE' || method === 'POST') uploads.delete(url.searchParams.get('uploadId') ?? '')
  }

  const forward = async (request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> => {
    const { method = 'GET' } = request
    // The length is told by who sends it on: one that is given as well is refused where another undici is loaded.
    const {
      host: _,
      connection: __,
      range,
      expect: ___,
      'transfer-encoding': ____,
      'content-length': _____,
      ...headers
    } = request.headers
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const body = pieces.length > 0 ? Buffer.concat(pieces) : undefined
    const answer = await fetch(`http://127.0.0.1:${behind.port}${url.pathname}${url.search}`, {
      method,
      headers: headers as Record<string, string>,
      body,
    })
    const content = Buffer.from(await answer.arrayBuffer())
    if (answer.ok) note(method, url, content)
    for (const [name, value] of answer.headers) if (!ownHeaders.has(name)) response.setHeader(name, value)
    const disposition = url.searchParams.get('response-content-disposition')
    if (disposition) response.setHeader('content-disposition', disposition)
    if (method === 'HEAD') response.setHeader('content-length', answer.headers.get('content-length') ?? 0)
    sendRange(response, answer, content, range)
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://s3')
    if (request.method === 'GET' && url.searchParams.has('uploads'))
      return listUploads(url.searchParams.get('prefix') ?? '', response)
    forward(request, url, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    endpoint,
    bucket,
    options: { bucket, endpoint, region: 'us-east-1', forcePathStyle: true, prefix: '', checksums: false },
    stop: async (): Promise<void> => {
      server.closeAllConnections()
      server.close()
      await behind.stop()
    },
  }
}

export type S3Peer = Awaited<ReturnType<typeof startS3Peer>>

/** They are of the connection, and not of what goes over it. */
const ownHeaders = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding'])

const sendRange = (response: ServerResponse, answer: Response, content: Buffer, range: string | undefined): void => {
  const [, from, to] = (answer.ok && /^bytes=(\d+)-(\d*)$/.exec(range ?? '')) || []
  if (from === undefined) {
    response.writeHead(answer.status).end(content)
    return
  }
  const last = to === '' ? content.length - 1 : Math.min(Number(to), content.length - 1)
  response.setHeader('content-range', `bytes ${from}-${last}/${content.length}`)
  response.writeHead(206).end(content.subarray(Number(from), last + 1))
}
