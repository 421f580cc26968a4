import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  visit,
} from 'graphql'
import type { Operation } from '../operation.ts'
import { type MergeBatches, makeMergeBatches } from './merge.ts'

/** Where a viewer begins, as a client says it: after a cursor, or with the last so many lines. */
export interface LogStart {
  after: string | null
  tail: number | null
}

type Variables = Record<string, unknown>

export interface AskedLog {
  sessionId: string
  start: LogStart
  /** Variables besides those of the start. */
  others: Variables
}

/** A `sessionLogs` subscription whose start can be moved, and whose position can be read, whatever its client selects. */
export interface MovableLogs {
  /** Tells it from every other. */
  id: number
  operation: Operation
  /** Name of the field in a result's data. */
  responseName: string
  /** What a client's variables ask for; undefined when they are not valid, which the planner then says. */
  read(variables: Variables | null | undefined): AskedLog | undefined
  variablesFor(start: LogStart, others: Variables): Variables
  /** Undefined when what is selected can't be put together. */
  merge: MergeBatches | undefined
}

const rootField = 'sessionLogs'
const prefix = 'manman_'
const names = {
  after: `${prefix}after`,
  tail: `${prefix}tail`,
  cursor: `${prefix}cursor`,
  end: `${prefix}end`,
  gap: `${prefix}gap`,
} as const

const known = new WeakMap<DocumentNode, MovableLogs>()
let lastId = 0

/** Undefined for what is no plain `sessionLogs` subscription. The same answer for the same operation: plans hang on it. */
export const toMovableLogs = (schema: GraphQLSchema, operation: Operation): MovableLogs | undefined => {
  const { document } = operation
  const movable = known.get(document) ?? rewrite(schema, operation)
  if (movable) known.set(document, movable)
  return movable
}

const rewrite = (schema: GraphQLSchema, { document, kind, rootFields }: Operation): MovableLogs | undefined => {
  const definition = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION)
  const field = definition?.selectionSet.selections[0]
  const fieldDefinition = schema.getSubscriptionType()?.getFields()[rootField]
  if (kind !== OperationTypeNode.SUBSCRIPTION || !definition || !fieldDefinition) return undefined
  if (field?.kind !== Kind.FIELD || field.name.value !== rootField || field.directives?.length) return undefined
  if (definition.selectionSet.selections.length > 1 || hasOurNames(document)) return undefined

  const moved = replaced(document, definition, withPosition(field))
  const used = usedVariables(moved)
  const definitions = definition.variableDefinitions ?? []
  return {
    id: ++lastId,
    operation: { document: withoutUnused(moved, used), kind, rootFields },
    responseName: field.alias?.value ?? rootField,
    merge: makeMergeBatches(document, field),

    read: (variables) => {
      const values = getVariableValues(schema, definitions, variables ?? {})
      if (!values.coerced) return undefined
      const asked = askedOf(() => getArgumentValues(fieldDefinition, field, values.coerced))
      const others = Object.fromEntries(Object.entries(variables ?? {}).filter(([name]) => used.has(name)))
      return asked && { ...asked, others }
    },
    variablesFor: ({ after, tail }, others) => ({
      ...others,
      ...(after !== null && { [names.after]: after }),
      ...(tail !== null && { [names.tail]: tail }),
    }),
  }
}

const askedOf = (readArguments: () => Variables): Omit<AskedLog, 'others'> | undefined => {
  try {
    const { sessionId, after, tail } = readArguments()
    const start = { after: (after as string | undefined) ?? null, tail: (tail as number | undefined) ?? null }
    return { sessionId: String(sessionId), start }
  } catch {
    return undefined // a literal that is none: validation has let it pass, so the planner is asked
  }
}

/** The event as its client asked for it, and what we asked for besides. */
export const takePosition = <Result extends { data?: Variables | null }>(
  event: Result,
  responseName: string,
): Position<Result> => {
  const batch = event.data?.[responseName] as Variables | null | undefined
  if (!batch) return { event, cursor: undefined, isPlain: false }
  const { [names.cursor]: cursor, [names.end]: end, [names.gap]: gap, ...asked } = batch
  return {
    event: { ...event, data: { [responseName]: asked } },
    cursor: end ? undefined : (cursor as string | undefined),
    isPlain: !end && !gap && !('errors' in event),
  }
}

interface Position<Result> {
  event: Result
  /** Undefined for an end or a failure, behind which nothing follows. */
  cursor: string | undefined
  /** Lines, and nothing else. */
  isPlain: boolean
}

const parts = parse(`
  subscription ($${names.after}: String, $${names.tail}: Int) {
    ${rootField}(after: $${names.after}, tail: $${names.tail}) { ${names.cursor}: cursor ${names.end}: end ${names.gap}: gap { kind } }
  }
`).definitions[0] as OperationDefinitionNode
const [ours] = parts.selectionSet.selections as [FieldNode]

const withPosition = (field: FieldNode): FieldNode => ({
  ...field,
  arguments: [
    ...(field.arguments ?? []).filter(({ name }) => name.value !== 'after' && name.value !== 'tail'),
    ...(ours.arguments ?? []),
  ],
  selectionSet: {
    kind: Kind.SELECTION_SET,
    selections: [...(field.selectionSet?.selections ?? []), ...(ours.selectionSet?.selections ?? [])],
  },
})

const replaced = (document: DocumentNode, definition: OperationDefinitionNode, field: FieldNode): DocumentNode => ({
  ...document,
  definitions: document.definitions.map((node) =>
    node === definition
      ? {
          ...definition,
          variableDefinitions: [...(definition.variableDefinitions ?? []), ...(parts.variableDefinitions ?? [])],
          selectionSet: { kind: Kind.SELECTION_SET, selections: [field] },
        }
      : node,
  ),
})

const usedVariables = (document: DocumentNode): ReadonlySet<string> => {
  const used = new Set<string>()
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.add(name.value),
  })
  return used
}

const withoutUnused = (document: DocumentNode, used: ReadonlySet<string>): DocumentNode =>
  visit(document, { VariableDefinition: (node) => (used.has(node.variable.name.value) ? undefined : null) })

const hasOurNames = (document: DocumentNode): boolean => {
  let found = false
  visit(document, {
    Name: ({ value }) => {
      if (value.startsWith(prefix)) found = true
    },
  })
  return found
}
