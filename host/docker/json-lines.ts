import type { Readable } from 'node:stream'

/** Docker's messages are a few KiB; more without a line break is not one of its streams. */
const maxLineChars = 1 << 20

/** The lines of a stream of JSON documents, one a line; empty ones are left out. */
export async function* jsonLines(stream: Readable): AsyncGenerator<string> {
  let rest = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    if (rest.length > maxLineChars) throw new Error('Docker sent a message without an end.')
    for (const line of lines) if (line.trim() !== '') yield line
  }
  if (rest.trim() !== '') yield rest
}
