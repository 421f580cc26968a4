import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect } from 'vitest'

type Data = Record<string, unknown>

interface Step {
  /** What the reader runs, with words in capitals for ids. */
  operation: string
  /** The answer that the README shows below it, if it does. */
  shown?: { data: unknown }
}

const block = /```(graphql|json)\n([\s\S]*?)```/g

const readSteps = (): Step[] => {
  const text = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')
  const steps: Step[] = []
  for (const [, language, content] of text.matchAll(block)) {
    if (language === 'graphql') steps.push({ operation: content! })
    else steps.at(-1)!.shown = JSON.parse(content!)
  }
  return steps
}

/** Which answer gives the id for which word. */
const words: Record<string, string> = {
  servers: 'SERVER',
  createGame: 'GAME',
  createGameConfig: 'CONFIG',
  deployGameConfig: 'DEPLOYMENT',
  startSession: 'SESSION',
}

/** The README's tour, followed as a reader does: in order, with the ids that were answered, and a look at what it shows. */
export const makeTour = () => {
  const steps = readSteps()
  const ids = new Map<string, string>()
  let at = 0

  const remember = (data: Data): void => {
    for (const [field, value] of Object.entries(data)) {
      const { id, nodes } = value as { id?: string; nodes?: { id: string }[] }
      const found = id ?? nodes?.[0]?.id
      if (words[field] && found) ids.set(words[field], found)
    }
  }
  const fillIn = (operation: string): string => operation.replaceAll(/"([A-Z]+)"/g, (_, word) => `"${idOf(word)}"`)
  const idOf = (word: string): string => {
    const id = ids.get(word)
    if (!id) throw new Error(`the README has used no operation yet that answers ${word}`)
    return id
  }

  return {
    idOf,
    /** The next operation, ready to be run. */
    next: (): string => fillIn(steps[at]!.operation),
    /** Runs the next operation by `run`, compares its answer with what is shown, and steps on. */
    follow: async (run: (operation: string) => Promise<Data>): Promise<Data> => {
      const { operation, shown } = steps[at]!
      const data = await run(fillIn(operation))
      if (shown) expect(generalise(data)).toEqual(generalise(shown.data))
      remember(data)
      at++
      return data
    },
    /** The same up to the operation that has `text` in it, which is then the next; answers all data together. */
    async followUntil(text: string, run: (operation: string) => Promise<Data>): Promise<Data> {
      const all: Data = {}
      while (at < steps.length && !steps[at]!.operation.includes(text)) Object.assign(all, await this.follow(run))
      if (at === steps.length) throw new Error(`the README has no operation with ${text}`)
      return all
    },
  }
}

/** With a word for everything that is another at each run. */
const generalise = (output: unknown): unknown =>
  JSON.parse(JSON.stringify(output), (key, value: unknown) => {
    if (key === 'hostPort' || key === 'connectAddress') return 'ADDRESS' // null on a machine without a network
    if (typeof value !== 'string') return value
    return value.replace(/^[0-9a-f]{8}-[0-9a-f-]{27}$/, 'ID').replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'TIME')
  })
