import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to one request instead of what should; false leaves it as it is. */
type Fault = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>

/** An object store of HTTP alone, that does what a test wants of it: a real one has no faults on demand. */
export const openStorePeer = async () => {
  const objects = new Map<string, Buffer>()
  const requests: string[] = []
  let fault: Fault = () => false

  const put = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const content = Buffer.concat(chunks)
    if (content.length !== Number(request.headers['content-length'])) return void response.writeHead(400).end()
    objects.set(path, content)
    response.writeHead(200, { etag: `"${createHash('md5').update(content).digest('hex')}"` }).end()
  }
  const get = (path: string, request: IncomingMessage, response: ServerResponse): void => {
    const content = objects.get(path)
    if (!content) return void response.writeHead(404).end('no such object')
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from }).end(content.subarray(from))
  }
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://store').pathname.slice(1)
    requests.push(`${request.method} ${path}`)
    const answer = async (): Promise<void> => {
      if (await fault(request, response)) return
      if (request.method === 'PUT') await put(path, request, response)
      else get(path, request, response)
    }
    answer().catch(() => response.destroy()) // the client went away in the middle
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    objects,
    /** Method and path of each request, in order. */
    requests,
    /** From now on; null for a store without faults. */
    setFault: (next: Fault | null): void => {
      fault = next ?? (() => false)
    },
    close: async (): Promise<void> => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
export type StorePeer = Awaited<ReturnType<typeof openStorePeer>>
