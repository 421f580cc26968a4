import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pickPorts } from '../../cli/services/state-file.ts'
import { connectDatabase, type Database } from '../../lib/db/connect.ts'
import { queues } from '../../lib/messages/routing.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { makeRabbit, type Rabbit } from '../../lib/rabbit/connect.ts'
import { ensureBuilt } from '../../tests/support/built.ts'
import { startMeasured } from '../measured-process.ts'
import { startServices } from '../services.ts'
import { countFalselySilent, letDie } from './deaths.ts'
import { insertFleet } from './fleet-rows.ts'
import { type Hosts, openHosts } from './hosts.ts'
import { readOptions } from './options.ts'
import { startSampling } from './samples.ts'
import { judge } from './verdict.ts'

// `npm run simulate [-- --seconds 60]`: a fleet of a thousand hosts against one real processor on real services, and
// whether it keeps up. docs/performance.md has what it said.

const settleLimitMs = 300_000
const betweenWavesMs = 20_000
/** Until a wave of deaths is noticed for sure. */
const waveMs = 45_000

/** Everyone is ONLINE, and has queues, which are declared one host after the other. */
const untilSettled = async (db: Database, rabbit: Rabbit, { hosts }: Hosts): Promise<number> => {
  const startedAt = performance.now()
  const within = async (what: string, done: () => Promise<boolean>): Promise<void> => {
    while (!(await done())) {
      if (performance.now() - startedAt > settleLimitMs) throw new Error(`after ${settleLimitMs / 1_000} s still not: ${what}`)
      await delay(500)
    }
  }
  const count = async (): Promise<number> => {
    const rows = db.selectFrom('servers.servers').select(({ fn }) => fn.countAll<number>().as('n'))
    return (await rows.where('status', '=', 'ONLINE').executeTakeFirstOrThrow()).n
  }
  await within('every host is ONLINE', async () => (await count()) === hosts.length)
  const onlineAfter = performance.now() - startedAt
  const kept = rabbit.keepChannel({ name: 'settled' })
  for (const { id } of hosts) {
    // A queue that is not there yet closes the channel, which is opened again.
    const isThere = async () =>
      (await kept
        .current()
        ?.checkQueue(queues.hostCommands(id))
        .catch(() => undefined)) !== undefined
    await within('every host has its queues', isThere)
  }
  await kept.close()
  return onlineAfter / 1_000
}

const options = readOptions()
const logger = makeLogger({ name: 'simulation', level: 'error' })
const closing: (() => Promise<unknown>)[] = []
const closeAll = async (): Promise<void> => {
  for (const close of closing.splice(0).reverse()) await close().catch((error) => console.error((error as Error).message))
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void closeAll().then(() => process.exit(130)))
try {
  if (!process.argv.includes('--processor')) await ensureBuilt()
  console.log('starting PostgreSQL and RabbitMQ, filling the database …')
  const services = await startServices('simulation')
  closing.push(services.stop)
  const database = connectDatabase({ url: services.databaseUrl, name: 'simulation', logger, max: 3 })
  closing.push(database.close)
  const servers = await insertFleet(database.db, options)
  const [port] = await pickPorts(1)
  const processor = await startMeasured({
    program: options.processor,
    env: { DATABASE_URL: services.databaseUrl, AMQP_URL: services.amqpUrl, PORT: String(port), LOG_LEVEL: 'error' },
    ready: `http://127.0.0.1:${port}/readyz`,
    log: join(services.dir, 'processor.log'),
    profile: options.profile,
  })
  closing.push(processor.stop)
  const rabbit = await makeRabbit({ url: services.amqpUrl, name: 'simulation', logger })
  closing.push(rabbit.close)
  const hosts = await openHosts({ ...options, amqpUrl: services.amqpUrl, servers, logger })
  closing.push(hosts.close)

  console.log(`${options.hosts} hosts begin to speak …`)
  hosts.startBeating()
  const onlineAfterSeconds = await untilSettled(database.db, rabbit, hosts)
  hosts.startReporting()
  console.log(`all are there; measuring for ${options.seconds} s …`)
  const sampling = startSampling({ db: database.db, rabbit, processor })
  closing.push(sampling.close)

  const endsAt = performance.now() + options.seconds * 1_000
  const delaysMs: number[] = []
  let died = 0
  let falselySilent = 0
  while (performance.now() + waveMs < endsAt || died === 0) {
    died += options.deaths
    delaysMs.push(...(await letDie(database.db, hosts, options.deaths)))
    falselySilent = Math.max(falselySilent, await countFalselySilent(database.db, hosts))
    await delay(Math.min(betweenWavesMs, Math.max(0, endsAt - performance.now())))
  }
  await delay(Math.max(0, endsAt - performance.now()))
  const { samples } = sampling
  const faults = judge({ options, samples, delaysMs, died, falselySilent, sent: hosts.counters(), onlineAfterSeconds })
  for (const fault of faults) console.log(`✖ ${fault}`)
  if (faults.length === 0) console.log('✔ it keeps up')
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await closeAll()
}
