import { ensureBuilt } from '../../tests/support/built.ts'
import { ensureDocker } from '../../tests/support/services.ts'
import { failed, type Outcome } from '../outcome.ts'
import { machine, makeSay, tableOf, writeJson } from '../report.ts'
import { openStage } from '../stage.ts'
import { archiveLog } from './archived-log.ts'
import { type RowName, readOptions } from './options.ts'
import type { Row } from './row.ts'
import { measureFlat } from './rows/flat.ts'
import { measureLatency } from './rows/latency.ts'
import { measurePage } from './rows/page.ts'
import { measureRate } from './rows/rate.ts'
import { measureSearch } from './rows/search.ts'
import { measureSessions } from './rows/sessions.ts'
import { measureStalled } from './rows/stalled.ts'
import { measureStopped } from './rows/stopped.ts'
import { measureViewers } from './rows/viewers.ts'

// `npm run bench logs [-- --only latency,page --seconds 10]`: what issue and docs promise of logs, measured on all of ManMan
// with real services. Fails when anything is below its floor. docs/performance.md has what it said.

const rows: Record<RowName, Row> = {
  latency: measureLatency,
  rate: measureRate,
  page: measurePage,
  search: measureSearch,
  sessions: measureSessions,
  stopped: measureStopped,
  flat: measureFlat,
  viewers: measureViewers,
  stalled: measureStalled,
}

const options = readOptions()
const startedAt = new Date()
const say = makeSay(startedAt)
await ensureBuilt()
await ensureDocker()
const loadBefore = machine().load
say('starting PostgreSQL, RabbitMQ, control plane and agent …')
const stage = await openStage({ name: 'logs', ...options })
let archived: Promise<string> | undefined
const archivedLog = (): Promise<string> => {
  archived ??= archiveLog(stage, options.lines, say)
  return archived
}
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
const stopped = new Promise<never>((_, reject) =>
  interrupted.signal.addEventListener('abort', () => reject(new Error('interrupted'))),
)
const outcomes: Outcome[] = []
try {
  for (const name of options.rows) {
    say(`${name} …`)
    const measuring = rows[name]({ stage, options, say, archivedLog }).catch((error: Error) => failed(name, error))
    const outcome = await Promise.race([measuring, stopped])
    outcomes.push(outcome)
    say(`${outcome.measured}${outcome.raw && `; raw ${outcome.raw}`}`)
    for (const fault of outcome.faults) say(`✖ ${fault}`)
  }
} finally {
  await stage.close()
}
const result = { at: startedAt.toISOString(), machine: machine(), loadBefore, options, outcomes }
writeJson(options.json, result)
console.log(`\n${tableOf(outcomes)}\n\n${JSON.stringify(result.machine)}; load before ${loadBefore.join(' ')}`)
process.exitCode = outcomes.some(({ faults }) => faults.length > 0) ? 1 : 0
