import { request } from 'node:http'
import { dockerSocket } from '../../cli/services/docker.ts'
import type { Meter } from './meter.ts'

const frameHead = 8

/**
 * The plainest reader of a container's log that there can be: the raw limit. It takes what Docker sends, from the
 * beginning, and keeps nothing; the meter sees every line, or, with `every: 'chunk'`, only the last of what came at once.
 */
export const readRaw = (container: string, meter: Meter, { every = 'line' }: { every?: 'line' | 'chunk' } = {}) => {
  let lines = 0
  const asking = request({
    socketPath: dockerSocket(process.env),
    path: `/containers/${container}/logs?stdout=1&stderr=1&follow=1&timestamps=1`,
  })
  const ended = new Promise<void>((resolve, reject) => {
    asking.once('error', reject)
    asking.once('response', (response) => {
      let rest: Buffer = Buffer.alloc(0)
      response.on('data', (chunk: Buffer) => {
        const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
        const { starts, end } = framesOf(bytes)
        rest = bytes.subarray(end)
        lines += starts.length
        for (const start of every === 'line' ? starts : starts.slice(-1)) meter.take(textOf(bytes, start))
      })
      response.once('end', resolve)
      response.once('error', reject)
    })
    asking.end()
  })
  // Whoever waits for the end hears of a fault; until then nobody has to.
  ended.catch(() => undefined)
  return { ended, lines: () => lines, close: (): void => void asking.destroy() }
}

/** Where each whole frame begins, and where the last one ends. */
const framesOf = (bytes: Buffer): { starts: number[]; end: number } => {
  const starts: number[] = []
  let at = 0
  while (at + frameHead <= bytes.length) {
    const end = at + frameHead + bytes.readUInt32BE(at + 4)
    if (end > bytes.length) break
    starts.push(at)
    at = end
  }
  return { starts, end: at }
}

/** Without its timestamp. */
const textOf = (bytes: Buffer, start: number): string => {
  const end = start + frameHead + bytes.readUInt32BE(start + 4)
  return bytes.toString('latin1', bytes.indexOf(0x20, start + frameHead) + 1, bytes[end - 1] === 0x0a ? end - 1 : end)
}
