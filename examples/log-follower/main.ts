import { connect } from './connect.ts'
import { followLog } from './follow-log.ts'
import { printable } from './printable.ts'

// URL=http://127.0.0.1:4000/graphql TOKEN=… npm start -- SESSION [CURSOR]
const [sessionId, after] = process.argv.slice(2)
if (!sessionId) throw new Error('which session? npm start -- SESSION [CURSOR]')

const client = connect({ url: process.env.URL ?? 'http://127.0.0.1:4000/graphql', token: process.env.TOKEN ?? null })
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

let cursor = after
const onLost = (why: string): void => console.error(`trying again: ${why}`)
for await (const batch of followLog(client, sessionId, { after, signal: stop.signal, onLost })) {
  for (const { at, stream, text } of batch.lines) console.log(`${at} ${stream} ${printable(text)}`)
  if (batch.gap) console.log(`… ${batch.gap.lostLines ?? 'some'} lines are missing: ${printable(batch.gap.reason)}`)
  cursor = batch.cursor
}
if (stop.signal.aborted) console.error(`stopped; go on with the cursor ${cursor}`)
await client.dispose()
