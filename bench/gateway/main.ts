import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connectDatabase } from '../../lib/db/connect.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { ensureBuilt } from '../../tests/support/built.ts'
import { insertServer, insertSession } from '../../tests/support/rows.ts'
import { ensureDocker } from '../../tests/support/services.ts'
import { failed, faultsOf, ms, type Outcome } from '../outcome.ts'
import { machine, tableOf, writeJson } from '../report.ts'
import { startServices } from '../services.ts'
import { measureInput } from './input.ts'
import { ask, quantile } from './load.ts'
import { type Contender, startContenders } from './programs.ts'

// `npm run bench gateway [-- --count 400]`: one query that joins three subgraphs, through ours and through two others before the
// same subgraphs, with a token and limits. Fails when ours takes more than its share. docs/performance.md has what it said.

const sessions = 50
const rounds = 3
const crowds = [1, 8, 64]
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '600' },
    json: { type: 'string', default: join(import.meta.dirname, '../results/gateway.json') },
  },
})
const count = Number(values.count)
if (!Number.isInteger(count) || count < 64) throw new Error('--count must be a whole number from 64')

interface Measured {
  cpuMs: number[]
  times: Map<number, number[]>
}

const startedAt = new Date()
await ensureBuilt()
await ensureDocker()
const loadBefore = machine().load
const closing: (() => Promise<unknown>)[] = []
let measured: Map<string, Measured>
try {
  const services = await startServices('bench-gateway')
  closing.push(services.stop)
  await fill(services.databaseUrl)
  const token = randomBytes(24).toString('base64url')
  const contenders = await startContenders(services, token, closing)
  measured = await measure(contenders, token)
} finally {
  for (const end of closing.reverse()) await end().catch((error) => console.error((error as Error).message))
}
const outcomes = [...judge(measured), await measureInput().catch((error: Error) => failed('`sendInput`', error))]
writeJson(values.json, { at: startedAt.toISOString(), machine: machine(), loadBefore, count, outcomes })
console.log(`\n${tableOf(outcomes)}\n\n${JSON.stringify(machine())}; load before ${loadBefore.join(' ')}`)
process.exitCode = outcomes.some(({ faults }) => faults.length > 0) ? 1 : 0

async function fill(url: string): Promise<void> {
  const database = connectDatabase({ url, name: 'bench', logger: makeLogger({ name: 'bench', level: 'error' }) })
  const servers = await Promise.all(
    Array.from({ length: 5 }, () => insertServer(database.db, { status: 'ONLINE', seenMsAgo: 0 })),
  )
  for (let at = 0; at < sessions; at++)
    await insertSession(database.db, { serverId: servers[at % servers.length]!, status: 'RUNNING' })
  await database.close()
}

/** Interleaved, so that what else the machine does meets all of them alike. */
async function measure(contenders: readonly Contender[], token: string): Promise<Map<string, Measured>> {
  const all = new Map(contenders.map(({ name }): [string, Measured] => [name, { cpuMs: [], times: new Map() }]))
  for (const { address } of contenders) await ask(address, token, { clients: 8, count: 200, sessions }) // until it is compiled
  for (let round = 1; round <= rounds; round++) {
    for (const { name, address, processes } of contenders) {
      const of = all.get(name)!
      const cpu = (): number => processes.reduce((sum, one) => sum + one.cpuSeconds(), 0)
      const before = cpu()
      let asked = 0
      for (const clients of crowds) {
        const { times } = await ask(address, token, { clients, count, sessions })
        of.times.set(clients, [...(of.times.get(clients) ?? []), ...times])
        asked += times.length
      }
      of.cpuMs.push((1_000 * (cpu() - before)) / asked)
      console.log(`round ${round}  ${name}: ${of.cpuMs.at(-1)!.toFixed(2)} ms CPU a request`)
    }
  }
  return all
}

function judge(all: ReadonlyMap<string, Measured>): Outcome[] {
  const cpuOf = (name: string): number => quantile(all.get(name)!.cpuMs, 0.5)
  const apollo = cpuOf('@apollo/gateway')
  const allowed: Record<string, number> = { 'ManMan, one process': 0.4, 'ManMan, many processes': 0.7 }
  return [...all].map(([name, { times }]) => {
    const ratio = cpuOf(name) / apollo
    const goal = allowed[name]
    const paces = crowds.map((clients) => {
      const of = times.get(clients)!
      return `${clients}: ${ms(quantile(of, 0.5))}, ${ms(quantile(of, 0.99))}`
    })
    return {
      what: name,
      measured: `${cpuOf(name).toFixed(2)} ms CPU: ${ratio.toFixed(2)}; p50, p99 at ${paces.join('; ')}`,
      raw: '',
      floor: goal === undefined ? '' : `≤ ${goal} of @apollo/gateway`,
      goal: goal === undefined ? '' : `≤ ${goal} of @apollo/gateway`,
      faults: goal === undefined ? [] : faultsOf([{ is: ratio <= goal, fault: `${name}: ${ratio.toFixed(2)} is above ${goal}` }]),
      reachesGoal: goal === undefined || ratio <= goal,
      figures: { cpuMs: cpuOf(name), ratio },
    }
  })
}
