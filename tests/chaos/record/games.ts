import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GameRecord } from '../evidence.ts'

/** Reads what the games of these hosts have written into their volumes. */
export const readGames = async (dataDirs: readonly string[]): Promise<GameRecord[]> => {
  const records: GameRecord[] = []
  for (const dataDir of dataDirs) {
    for (const path of await readdir(dataDir, { recursive: true })) {
      const containerId = /^gsc-[^/]+\/(?:.*\/)?([0-9a-f]{12})\.record$/.exec(path)?.[1]
      if (containerId) records.push(parseGame(containerId, await readFile(join(dataDir, path), 'utf8')))
    }
  }
  return records
}

export const parseGame = (containerId: string, text: string): GameRecord => {
  const record: GameRecord = { containerId, starts: [], inputs: [], exit: null }
  for (const line of text.split('\n')) {
    const [word, first = '', ...rest] = line.split(' ')
    if (word === 'start') record.starts.push(first)
    if (word === 'input') record.inputs.push({ number: Number(first), line: rest.join(' ') })
    if (word === 'exit') record.exit = { code: Number(first), why: rest.join(' ') }
  }
  return record
}
