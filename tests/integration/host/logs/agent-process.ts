import { recordsOf, startReading } from './reading.ts'

// A host agent as far as logs go, to be killed: reads one container's log, prints each line it publishes with its number,
// and ends once the log is complete. Arguments: socket, directory, container, session.
const [socketPath, root, containerId, sessionId] = process.argv.slice(2) as [string, string, string, string]

const reading = await startReading({
  socketPath,
  root,
  containerId,
  sessionId,
  onLines: (batch) => {
    let text = ''
    for (const record of recordsOf(batch)) text += `${record.seq} ${record.stream} ${record.bytes}\n`
    process.stdout.write(text)
  },
})
process.exitCode = (await reading.reader.drained) === 'complete' ? 0 : 1
await reading.stop()
