import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { sessionLogPrefix } from '../../../lib/storage/keys.ts'
import { faultsOf } from '../../outcome.ts'
import type { Row } from '../row.ts'

/** With a `k` and an `s`, which have other forms in Unicode: the slower way to look. */
const needle = 'was kicked from the server'

const query = `query Search($id: ID!, $after: String, $search: String!) {
  session(id: $id) { logs(first: 100, after: $after, search: $search) { lines { seq } endCursor hasNextPage } }
}`

interface Answer {
  session: { logs: { lines: { seq: number }[]; endCursor: string; hasNextPage: boolean } }
}

const megabytesPerSecond = (bytes: number, sinceMs: number): number => bytes / 1e6 / ((performance.now() - sinceMs) / 1_000)

/** What is not there is looked for in all of a long log; next to it all objects are unpacked, and nothing else. */
export const measureSearch: Row = async ({ stage, archivedLog }) => {
  const id = await archivedLog()
  const dir = join(stage.objectsDir, sessionLogPrefix(id))
  const names = readdirSync(dir).sort()
  const gunzipAll = (): { bytes: number; speed: number } => {
    const beganAt = performance.now()
    let bytes = 0
    for (const name of names) bytes += gunzipSync(readFileSync(join(dir, name))).length
    return { bytes, speed: megabytesPerSecond(bytes, beganAt) }
  }
  const searchAll = async (): Promise<void> => {
    for (let after: string | undefined; ; ) {
      const { session } = await stage.client.run<Answer, object>(query, { id, after, search: needle })
      const { lines, endCursor, hasNextPage } = session.logs
      if (lines.length > 0) throw new Error(`line ${lines[0]!.seq} was found, and nobody wrote it`)
      if (!hasNextPage) return
      after = endCursor
    }
  }
  const before = gunzipAll()
  const beganAt = performance.now()
  await searchAll()
  const speed = megabytesPerSecond(before.bytes, beganAt)
  // Once more behind it: on a machine with other work the mean of both is what the search had beside it.
  const rawSpeed = (before.speed + gunzipAll().speed) / 2
  const share = speed / rawSpeed
  return {
    what: '`search` of all of them, no hit',
    measured: `${speed.toFixed(0)} MB/s: ${share.toFixed(2)}`,
    raw: `gunzip ${rawSpeed.toFixed(0)} MB/s`,
    floor: '0.5 of gunzip',
    goal: '0.8 of gunzip',
    faults: faultsOf([{ is: share >= 0.5, fault: `${share.toFixed(2)} of gunzip is below 0.5` }]),
    reachesGoal: share >= 0.8,
    figures: { megabytesPerSecond: speed, rawMegabytesPerSecond: rawSpeed, share, bytes: before.bytes, objects: names.length },
  }
}
