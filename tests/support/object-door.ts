import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { ObjectStore } from '../../lib/storage/store.ts'

/** What stands at a signed address of `store`: on S3 itself, else behind a small door of its own. */
export const openObjectDoor = async (store: ObjectStore) => {
  const server = createServer(async (request, response) => {
    const length = request.headers['content-length']
    const answer = await store.serve!({
      method: request.method as 'GET' | 'PUT',
      path: request.url ?? '',
      range: request.headers.range,
      contentLength: length === undefined ? undefined : Number(length),
      body: request,
    })
    response.writeHead(answer.status, answer.headers)
    Readable.from(typeof answer.body === 'string' ? [Buffer.from(answer.body)] : answer.body).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    at: (address: string): string => (address.startsWith('/') ? base + address : address),
    close: (): void => {
      server.closeAllConnections()
      server.close()
    },
  }
}
