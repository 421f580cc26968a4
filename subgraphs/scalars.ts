import { GraphQLError, type ValueNode, valueFromASTUntyped } from 'graphql'

/** The three scalars of the public graph: how each is written out, and read in. */
export type ScalarTypes = {
  ID: { Input: string; Output: string | number | bigint }
  /** RFC 3339, UTC. */
  DateTime: { Input: Date; Output: Date }
  JSON: { Input: unknown; Output: unknown }
  /** An integer up to 2^53 as a JSON number. Rows may hold it as the text or bigint that PostgreSQL's int8 becomes. */
  SafeInt: { Input: number; Output: number | bigint | string }
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

export const parseDateTime = (value: unknown): Date => {
  const date = typeof value === 'string' && rfc3339.test(value) ? new Date(value) : undefined
  if (!date || Number.isNaN(date.getTime())) throw new GraphQLError('A DateTime is RFC 3339 text, like "2026-01-31T12:00:00Z".')
  return date
}

export const serializeDateTime = (value: unknown): string => {
  if (!(value instanceof Date)) throw new TypeError(`A DateTime field resolved to ${typeof value}, not a Date`)
  return value.toISOString()
}

export const parseSafeInt = (value: unknown): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new GraphQLError('A SafeInt is an integer within ±(2^53 - 1).')
  return value
}

export const serializeSafeInt = (value: unknown): number => {
  const number = typeof value === 'bigint' || (typeof value === 'string' && /^-?\d+$/.test(value)) ? Number(value) : value
  if (!Number.isSafeInteger(number)) throw new TypeError(`A SafeInt field resolved to ${String(value)}`)
  return number as number
}

/** The default literal parser hands ints over as text in some executors; this one keeps JSON values as they are written. */
export const parseJsonLiteral = (node: ValueNode, variables?: Record<string, unknown> | null): unknown =>
  valueFromASTUntyped(node, variables)
