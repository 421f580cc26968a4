import { makeEmbeddedPostgres } from '../../cli/services/postgres.ts'
import { makeEmbeddedRabbit } from '../../cli/services/rabbitmq.ts'

// Starts a service as `manman up` does and waits to be killed: `hold-service.ts postgres|rabbitmq DIR`.
const [kind, dir] = process.argv.slice(2) as [string, string]
const make = kind === 'postgres' ? makeEmbeddedPostgres : makeEmbeddedRabbit
const service = await make({ dir, log: `${dir}.log` })
process.stdout.write(`${JSON.stringify({ origin: await service.start(), url: service.url })}\n`)
setInterval(() => {}, 60_000)
