import { faultsOf, ms } from '../../outcome.ts'
import { quantile } from '../meter.ts'
import type { Row } from '../row.ts'

const pages = 100
const warmPages = 20

const query = `query Page($id: ID!, $before: String) {
  session(id: $id) { logs(last: 100, before: $before) { lines { seq at stream text } startCursor hasPreviousPage } }
}`

interface Answer {
  session: { logs: { lines: { seq: number }[]; startCursor: string; hasPreviousPage: boolean } }
}

/** The newest hundred lines of a long log, and a hundred from anywhere in it, through the gateway. */
export const measurePage: Row = async ({ stage, options, archivedLog }) => {
  const id = await archivedLog()
  const read = async (lastSeq: number): Promise<number> => {
    const before = lastSeq === options.lines ? undefined : String(lastSeq + 1)
    const beganAt = performance.now()
    const { session } = await stage.client.run<Answer, { id: string; before?: string }>(query, { id, before })
    const tookMs = performance.now() - beganAt
    const { lines } = session.logs
    if (lines.length !== 100 || lines.at(-1)!.seq !== lastSeq) throw new Error(`not the lines up to ${lastSeq}`)
    return tookMs
  }
  const measure = async (seqOf: () => number, count: number): Promise<number[]> => {
    const times: number[] = []
    for (let i = 0; i < count; i++) times.push(await read(seqOf()))
    return times.sort((a, b) => a - b)
  }
  const anywhere = (): number => 100 + Math.floor(Math.random() * (options.lines - 100))
  const first = await read(options.lines)
  await measure(anywhere, warmPages)
  const newest = await measure(() => options.lines, pages)
  const other = await measure(anywhere, pages)
  const [p99, otherP99] = [quantile(newest, 0.99), quantile(other, 0.99)]
  const slowest = Math.max(p99, otherP99)
  return {
    what: `\`Session.logs(last: 100)\` of ${options.lines} archived lines`,
    measured: `p50 ${ms(quantile(newest, 0.5))}, p99 ${ms(p99)}; anywhere p50 ${ms(quantile(other, 0.5))}, p99 ${ms(otherP99)}`,
    raw: '',
    floor: '≤ 100 ms',
    goal: '≤ 50 ms',
    faults: faultsOf([{ is: slowest <= 100, fault: `p99 is ${ms(slowest)}` }]),
    reachesGoal: slowest <= 50,
    figures: {
      firstMs: first,
      p50Ms: quantile(newest, 0.5),
      p99Ms: p99,
      anywhereP50Ms: quantile(other, 0.5),
      anywhereP99Ms: otherP99,
    },
  }
}
