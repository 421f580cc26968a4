import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { newId } from '../../lib/process/new-id.ts'

/** Ids by the type of what they name. */
export type Examples = Readonly<Record<string, string>>

export type Field = GraphQLField<unknown, unknown>

/** A field to be asked for, as text and variables of an operation around it. */
export interface Question {
  text: string
  head: string
  variables: Record<string, unknown>
}

const scalars: Record<string, unknown> = {
  String: 'x',
  Int: 1,
  Float: 1,
  SafeInt: 1,
  Boolean: true,
  DateTime: '2030-01-01T00:00:00Z',
  JSON: {},
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** What an argument names: `toServerId` a Server; `id` of `deleteGame` a Game, and of `game` too. */
const typeNamed = (name: string, field: Field, examples: Examples): string | undefined => {
  const named = name === 'id' ? field.name : name.replace(/Id$/, '')
  const withoutFirstWord = named.replace(/^[a-z]+(?=[A-Z])/, '')
  return [named, withoutFirstWord].map(capital).find((type) => type in examples)
}

/** Some value of the type: of the fields of an input those that must be there. An id is one of the examples if it can be. */
const fillerOf = (type: GraphQLInputType, name: string, field: Field, examples: Examples): unknown => {
  if (isNonNullType(type)) return fillerOf(type.ofType, name, field, examples)
  if (isListType(type)) return [fillerOf(type.ofType, name, field, examples)]
  if (isEnumType(type)) return type.getValues()[0]?.name
  if (isInputObjectType(type)) {
    const needed = Object.values(type.getFields()).filter((one) => isNonNullType(one.type))
    return Object.fromEntries(needed.map((one) => [one.name, fillerOf(one.type, one.name, field, examples)]))
  }
  if (type.name !== 'ID') return scalars[type.name]
  return examples[typeNamed(name, field, examples) ?? ''] ?? newId()
}

const selectionOf = (type: GraphQLOutputType): string => {
  const named = getNamedType(type)
  if (isLeafType(named)) return ''
  const nodes = isObjectType(named) && named.name.endsWith('Connection') && named.getFields().nodes
  const node = nodes && getNamedType(nodes.type)
  return node && isObjectType(node) && node.getFields().id ? '{ nodes { id } }' : '{ __typename }'
}

/** A field with the arguments that must be there, and all that are ids. What `examples` has not is nowhere. */
export const questionFor = (field: Field, examples: Examples = {}): Question => {
  const { name, args, type } = field
  const given = args.filter((arg: GraphQLArgument) => isNonNullType(arg.type) || getNamedType(arg.type).name === 'ID')
  const passed = given.map((arg) => `${arg.name}: $${arg.name}`).join(', ')
  return {
    text: `${name}${passed && `(${passed})`} ${selectionOf(type)}`,
    head: given.map((arg) => `$${arg.name}: ${arg.type}`).join(', '),
    variables: Object.fromEntries(given.map((arg) => [arg.name, fillerOf(arg.type, arg.name, field, examples)])),
  }
}
