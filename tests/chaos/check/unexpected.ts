import type { Evidence } from '../evidence.ts'

/** No program ends by itself, whatever it loses; and no client meets an error that nobody foresaw. */
export const nothingUnexpected = ({ unaskedEnds, operations }: Evidence): string[] => [
  ...unaskedEnds,
  ...operations.flatMap(({ step, answers }) =>
    answers.flatMap((answer) =>
      answer.outcome === 'unknown' && answer.why.includes('INTERNAL_SERVER_ERROR') ? [`step ${step}: ${answer.why}`] : [],
    ),
  ),
]
