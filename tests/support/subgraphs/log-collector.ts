import { Writable } from 'node:stream'

/** Keeps what a logger writes, so that a test can look for what must, or must not, stand in the log. */
export const makeLogCollector = () => {
  let text = ''
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk)
      done()
    },
  })
  return { stream, text: (): string => text }
}
