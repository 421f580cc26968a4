import { WebSocket } from 'ws'
import { brokenDocument, deepJson, good, type Random, strangeVariables } from './documents.ts'
import type { Target } from './requests.ts'

const settleMs = 300
const openLimitMs = 20_000

const ids = ['1', '1', '2', '', '__proto__', 'constructor', 'x'.repeat(10_000)]

const message = (target: Target, random: Random): string => {
  const id = random.pick<unknown>([...ids, 7, null, undefined])
  const payload = random.pick<() => unknown>([
    () => ({ query: random.pick(good), variables: strangeVariables(random) }),
    () => ({ query: brokenDocument(random).text.slice(0, 200_000) }),
    () => ({ query: random.pick([7, null, [], {}]), variables: 7 }),
    () => ({
      query: good[0],
      extensions: random.pick<unknown>([7, [], { headers: 7 }, { headers: { authorization: 7 } }, { headers: { token: 'x' } }]),
    }),
    () => random.pick<unknown>([undefined, null, 7, 'x', []]),
  ])
  return random.pick<() => string>([
    () => JSON.stringify({ type: 'subscribe', id, payload: payload() }),
    () => JSON.stringify({ type: 'subscribe', id, payload: payload() }),
    () => JSON.stringify({ type: 'complete', id }),
    () =>
      JSON.stringify({
        type: 'connection_init',
        payload: random.pick<unknown>([undefined, { token: target.token }, { token: 'x' }, 7, []]),
      }),
    () => JSON.stringify({ type: random.pick(['ping', 'pong']), payload: random.pick<unknown>([undefined, {}, 7, 'x']) }),
    () => JSON.stringify({ type: random.pick(['next', 'error', 'connection_ack', 'hello', 7, null]), id, payload: payload() }),
    () => random.pick(['', 'x', '7', 'null', '[]', '{', '{"type":"subscribe"}', deepJson(20_000)]),
    () => `{"type":"subscribe","id":"d","payload":{"query":${JSON.stringify(good[4])},"variables":{"json":${deepJson(20_000)}}}}`,
  ])()
}

const allowed = new Set([1002, 1003, 1005, 1006, 1007, 1009, 4400, 4401, 4403, 4408, 4409, 4429])

/** Messages of the protocol in any order, and others. Throws when the gateway calls that a defect of its own. */
export const sendMessages = async (target: Target, random: Random): Promise<[kind: string, outcome: string]> => {
  const socket = new WebSocket(target.url.replace('http', 'ws'), 'graphql-transport-ws')
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  let defect: string | undefined
  socket.on('message', (data) => {
    if (String(data).includes('INTERNAL_SERVER_ERROR')) defect = String(data).slice(0, 300)
  })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no handshake in time')), openLimitMs)
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    socket.once('open', done).once('close', done)
  })
  const isInit = random.int(0, 4) > 0
  if (isInit) socket.send(JSON.stringify({ type: 'connection_init', payload: { token: target.token } }))
  for (let left = random.int(1, 12); left > 0; left--) {
    if (socket.readyState === socket.OPEN) socket.send(message(target, random))
  }
  const code = await Promise.race([closed, new Promise<'open'>((resolve) => setTimeout(() => resolve('open'), settleMs))])
  socket.terminate()
  if (defect) throw new Error(`a defect: ${defect}`)
  if (code !== 'open' && !allowed.has(code)) throw new Error(`closed with ${code}`)
  return ['messages', String(code)]
}
