// `manman up` of this tree's dist/ as a process: what the bootstrap does once everything is installed and built.
import { makeProgress } from '../../cli/bootstrap/progress.mjs'
import { run } from '../../dist/cli/program.js'

const fail = (faults) => {
  for (const { message } of faults) console.error(message)
  process.exit(78)
}
await run([...process.argv.slice(0, 2), 'up'], { progress: makeProgress(), faults: [], startedAt: Date.now(), fail })
