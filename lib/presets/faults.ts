import type { z } from 'zod'

/** What is wrong with a value, in the words of who wrote the file; undefined leaves it to zod. */
export const faultOf: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'unrecognized_keys') return 'is not known here'
  if (issue.code === 'invalid_value') return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
  if (issue.code === 'invalid_union') return 'must be text, a number, true or false'
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'is required' : `must be ${expected[issue.expected] ?? issue.expected}`
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`
  return issue.code === 'invalid_format' ? formatFault(issue.format) : undefined
}

const expected: Record<string, string> = {
  string: 'text (numbers and true or false need quotes)',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

const formatFault = (format: string): string => {
  if (format === 'url') return 'must be an https address'
  if (format === 'date') return 'must be a date like 2026-11-23'
  return 'must be 1 to 50 small letters, digits or -, and begin with a letter'
}
