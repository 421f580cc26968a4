import { startStack } from '../../support/subgraphs/stack.ts'

// A gateway over small subgraphs, in a process of its own. Whoever starts it reads its address, and what it logs as wrong at
// its end. Times are short, so that what they end ends while somebody looks; rates are not what is tried here.
const stack = await startStack({
  mode: 'in process',
  limits: {
    ratePerToken: 1e9,
    burstPerToken: 1e9,
    rateOfStrangers: 1e9,
    burstOfStrangers: 1e9,
    initTimeoutMs: 8_000,
    headersTimeoutMs: 5_000,
    requestTimeoutMs: 6_000,
    idleTimeoutMs: 4_000,
    slowReaderMs: 2_000,
  },
})
process.stdout.write(`${stack.url}\n`)
process.stdin.once('end', async () => {
  const defects = stack.log
    .text()
    .split('\n')
    .filter((line) => line.includes('unexpected error') || line.includes('connection failed'))
  process.stdout.write(`${JSON.stringify(defects.slice(0, 20))}\n`)
  await stack.close()
  process.exit(0)
})
process.stdin.resume()
