import { createInterface } from 'node:readline/promises'
import { type DeadLetter, dropDeadLetters, findDeadLetter, listDeadLetters, resendDeadLetter } from '../../lib/db/dead-letters.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { printable } from '../../lib/domain/printable.ts'
import { notBelieved } from '../../lib/rabbit/speaker.ts'
import { type DeadLetterAccess, missing } from './access.ts'

/** Sends one letter, or all, to where they came from; each is removed once that is confirmed. Exit code 1 when one is kept. */
export const retry = async (access: DeadLetterAccess, id: string | undefined, all: boolean): Promise<void> => {
  const ids = await chosen(access, id, all)
  const send = await access.openSender()
  let failures = 0
  for (const one of ids) {
    try {
      const sent = await resendDeadLetter(access.db, one, (letter) => send(sendable(letter)))
      console.log(sent ? `${one} sent` : `${one} is gone already`)
    } catch (error) {
      failures++
      process.stderr.write(`${one} kept: ${printable((error as Error).message)}\n`)
    }
  }
  if (failures > 0) process.exitCode = 1
}

const sendable = (letter: DeadLetter): DeadLetter => {
  if (letter.reason.startsWith(notBelieved)) throw new Error(`${letter.reason} Drop it.`)
  if (letter.queue === '') throw new Error('nobody knows which queue it came from')
  return letter
}

/** Removes one letter, or all, for good; asks first. */
export const drop = async (access: DeadLetterAccess, id: string | undefined, all: boolean, yes: boolean): Promise<void> => {
  const ids = await chosen(access, id, all)
  if (ids.length > 0 && !yes && !(await isSure(ids.length))) throw new Error('Nothing was dropped.')
  console.log(`${await dropDeadLetters(access.db, ids)} dropped`)
}

const isSure = async (count: number): Promise<boolean> => {
  if (!process.stdin.isTTY) throw new Error('drop asks first, and there is nobody to ask: give --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question(`Drop ${count === 1 ? 'it' : `all ${count}`} for good? [y/N] `)
  terminal.close()
  return /^y(es)?$/i.test(answer.trim())
}

const chosen = async ({ db }: DeadLetterAccess, id: string | undefined, all: boolean): Promise<string[]> => {
  if ((id === undefined) !== all) throw new Error('give either an ID or --all')
  if (id === undefined) return (await listDeadLetters(db)).map(({ id: each }) => each)
  if (!isUuid(id) || !(await findDeadLetter(db, id))) throw missing(id)
  return [id]
}
