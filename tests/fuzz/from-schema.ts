import fc from 'fast-check'
import { z } from 'zod'

type Json = Record<string, unknown>

/** Values that a zod schema accepts: those of one that JSON can say. */
export const fromSchema = (schema: z.ZodType): fc.Arbitrary<unknown> =>
  read(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json)

const read = (schema: Json): fc.Arbitrary<unknown> => {
  if ('const' in schema) return fc.constant(schema.const)
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum)
  const either = (schema.anyOf ?? schema.oneOf) as Json[] | undefined
  if (either) return fc.oneof(...either.map(read))
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => read({ ...schema, type })))
  const make = makers[schema.type as string]
  return make ? make(schema) : fc.jsonValue({ maxDepth: 2 })
}

const limit = 9_007_199_254_740_991
const boundsOf = ({ minimum, maximum, exclusiveMinimum }: Json) => ({
  min: Math.max((exclusiveMinimum as number | undefined) ?? -limit, (minimum as number | undefined) ?? -limit),
  max: (maximum as number | undefined) ?? limit,
})

const makers: Record<string, (schema: Json) => fc.Arbitrary<unknown>> = {
  null: () => fc.constant(null),
  boolean: () => fc.boolean(),
  integer: (schema) => {
    const { min, max } = boundsOf(schema)
    return fc.integer({ min: 'exclusiveMinimum' in schema ? min + 1 : min, max })
  },
  number: (schema) => {
    const { min, max } = boundsOf(schema)
    return fc.double({ min, max, minExcluded: 'exclusiveMinimum' in schema, noNaN: true }).map((value) => value + 0)
  },
  string: (schema) => {
    if (schema.format === 'uuid') return fc.uuid()
    if (schema.format === 'date-time')
      return fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString())
    if (typeof schema.pattern === 'string') return fc.stringMatching(new RegExp(schema.pattern))
    const minLength = (schema.minLength as number | undefined) ?? 0
    return fc.string({ unit: 'grapheme', minLength, maxLength: Math.max(12, minLength) })
  },
  array: (schema) =>
    fc.array(read((schema.items as Json | undefined) ?? {}), {
      minLength: (schema.minItems as number | undefined) ?? 0,
      maxLength: Math.min(
        (schema.maxItems as number | undefined) ?? 3,
        Math.max(3, (schema.minItems as number | undefined) ?? 0),
      ),
    }),
  object: (schema) => {
    const properties = (schema.properties ?? {}) as Record<string, Json>
    const known = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, read(one)]))
    if (Object.keys(known).length > 0) return fc.record(known, { requiredKeys: (schema.required as string[] | undefined) ?? [] })
    const rest = schema.additionalProperties
    return fc.dictionary(fc.string({ maxLength: 8 }), typeof rest === 'object' ? read(rest as Json) : fc.string(), { maxKeys: 3 })
  },
}
