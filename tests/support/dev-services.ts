import { ensureDocker, startTestServices } from './services.ts'

// `npm run dev:services`: keeps the tests' services running, so that repeated runs need not wait for RabbitMQ.
await ensureDocker()
const { services, stop } = await startTestServices()
console.log(`export TEST_DATABASE_URL=${services.databaseUrl}`)
console.log(`export TEST_AMQP_URL=${services.amqpUrl}`)
console.log(`export TEST_AMQP_MANAGEMENT_URL=${services.amqpManagementUrl}`)
console.error('Paste these lines in the terminal where you run tests. Ctrl-C here ends the services and drops their data.')
const forever = setInterval(() => {}, 60_000)
let stopping = false
const end = async (): Promise<void> => {
  if (stopping) return
  stopping = true
  clearInterval(forever)
  await stop()
}
process.on('SIGINT', end)
process.on('SIGTERM', end)
