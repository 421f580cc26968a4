import { request as openRequest } from 'node:http'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { brokenDocument, deepJson, good, type Random, strangeVariables } from './documents.ts'

export interface Target {
  url: string
  token: string
}

/** What an HTTP request came to: its status, or that the connection ended. Throws what must never happen. */
export type Outcome = string

const answerLimitMs = 20_000

/** A broken document in a request that is in order. */
export const postDocument = async (target: Target, random: Random): Promise<[kind: string, Outcome]> => {
  const { kind, text } = brokenDocument(random)
  const operationName = random.pick([undefined, undefined, null, 'Q', '', 7])
  const body = JSON.stringify({ query: text, variables: strangeVariables(random), operationName })
  return [`document, ${kind}`, await send(target, Buffer.from(body))]
}

/** A request that is none. */
export const postGarbage = async (target: Target, random: Random): Promise<[kind: string, Outcome]> => {
  const query = random.pick(good)
  const plain = JSON.stringify({ query })
  const deep = random.pick([1_000, 30_000, 400_000])
  const cases: Record<string, () => [body: Buffer, headers?: Record<string, string>]> = {
    'not JSON': () => [Buffer.from(plain.slice(0, random.int(0, plain.length - 1)))],
    'another kind of JSON': () => [
      Buffer.from(random.pick(['null', '7', '"x"', '[]', `[${plain},${plain}]`, '{}', '{"query":7}'])),
    ],
    'invalid UTF-8': () => [Buffer.concat([Buffer.from('{"query":"{ whoAmI '), randomBytes(random, 40), Buffer.from('}"}')])],
    bytes: () => [randomBytes(random, random.int(0, 5_000))],
    'deep JSON': () => [Buffer.from(`{"query":${JSON.stringify(good[4])},"variables":{"json":${deepJson(deep)}}}`)],
    'keys of objects': () => [
      Buffer.from(`{"__proto__":{"query":"{ whoAmI }"},"query":"{ whoAmI }","constructor":{"prototype":{"a":1}}}`),
    ],
    'more than a request may have': () => [Buffer.alloc(3_000_000, 'x')],
    'compression bomb': () => [gzipSync(Buffer.alloc(30_000_000)), { 'content-encoding': 'gzip' }],
    'compression bomb of another kind': () => [brotliCompressSync(Buffer.alloc(1_000_000)), { 'content-encoding': 'br' }],
    'another type': () => [
      Buffer.from(plain),
      { 'content-type': random.pick(['text/plain', 'x', 'multipart/form-data', 'application/json; charset=x']) },
    ],
    'long headers': () => [Buffer.from(plain), { 'x-long': 'x'.repeat(random.pick([8_000, 14_000, 40_000])) }],
    'a token that is none': () => [
      Buffer.from(plain),
      { authorization: random.pick(['Bearer', 'Basic eDp5', `Bearer ${'x'.repeat(5_000)}`]) },
    ],
  }
  const kind = random.pick(Object.keys(cases))
  const [body, headers] = cases[kind]!()
  return [`request, ${kind}`, await send(target, body, headers)]
}

const randomBytes = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => random.int(0, 255)))

const expected = new Set([200, 400, 401, 403, 405, 413, 415])

/** Too long headers, and too slow ones: answered before anybody reads on. */
const beforeGraphql = new Set([408, 431])

/** Throws for an answer that is no GraphQL error, and for one that was not expected inside. */
const judge = (status: number, text: string): Outcome => {
  if (!expected.has(status)) throw new Error(`HTTP ${status}: ${text.slice(0, 300)}`)
  const answer = JSON.parse(text) as { errors?: { extensions?: { code?: string } }[] }
  const codes = (answer.errors ?? []).map(({ extensions }) => extensions?.code)
  if (codes.includes('INTERNAL_SERVER_ERROR')) throw new Error(`a defect: ${text.slice(0, 300)}`)
  return `${status} ${codes[0] ?? 'ok'}`
}

const send = ({ url, token }: Target, body: Buffer, headers: Record<string, string> = {}): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const asked = openRequest(url, {
      method: 'POST',
      timeout: answerLimitMs,
      agent: false,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        'content-length': body.length,
        ...headers,
      },
    })
    // A server that has refused what was still being sent closes; what it said may be lost.
    asked.on('error', () => resolve('closed'))
    asked.on('timeout', () => {
      asked.destroy()
      reject(new Error('no answer in time'))
    })
    asked.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (data) => (text += data))
      response.on('error', () => resolve('closed'))
      response.on('end', () => {
        try {
          resolve(
            beforeGraphql.has(response.statusCode ?? 0) ? String(response.statusCode) : judge(response.statusCode ?? 0, text),
          )
        } catch (error) {
          reject(error)
        }
      })
    })
    asked.end(body)
  })
