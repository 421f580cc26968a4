import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

export interface TourStep {
  /** What the README has the reader run, with words in capitals for ids. */
  operation: string
  /** The output it shows, if any. */
  shown: unknown
}

const block = /```(graphql|json)\n([\s\S]*?)```/g

/** The operations of the README's tour in their order, each with the output that the README shows below it. */
export const readTour = (): TourStep[] => {
  const text = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')
  const steps: TourStep[] = []
  for (const [, language, content] of text.matchAll(block)) {
    if (language === 'graphql') steps.push({ operation: content!, shown: undefined })
    else steps.at(-1)!.shown = JSON.parse(content!)
  }
  return steps
}

/** With everything that is another at each run replaced by a word for it, so that what the README shows can be compared. */
export const generalise = (output: unknown): unknown =>
  JSON.parse(JSON.stringify(output), (key, value: unknown) => {
    if (key === 'hostPort' || key === 'connectAddress') return 'ADDRESS' // null on a machine without a network
    if (typeof value !== 'string') return value
    return value.replace(/^[0-9a-f]{8}-[0-9a-f-]{27}$/, 'ID').replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'TIME')
  })
