import {
  type ArgumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql'
import { type Operation, selectedFields } from '../operation.ts'

export interface Cost {
  /**
   * Objects that an operation may answer at most. A page counts as many as `first` or `last` says, without them as many as
   * its field gives; another list counts ten. Fields of scalars cost nothing.
   */
  objects: number
  /** What it takes of a token's rate: one, for each field of a mutation, for each thousand objects; or what introspection takes. */
  units: number
}

type Variables = Record<string, unknown> | null | undefined

const pageSize = 50
const logPageSize = 500
/** Such as the ports of a deployment, which nothing pages. */
const listSize = 10
const objectsPerUnit = 1_000
/** It costs no subgraph anything, and this process about as much as so many small operations. */
const unitsOfIntrospection = 20

/** What operations of valid documents cost. Worked out once for each that has no variables in the sizes of its pages. */
export const makeCostOf = (schema: GraphQLSchema) => {
  const known = new WeakMap<Operation, Cost>()
  return (operation: Operation, variables: Variables): Cost => {
    const before = known.get(operation)
    if (before) return before
    const { cost, depends } = measure(schema, operation, variables)
    if (!depends) known.set(operation, cost)
    return cost
  }
}

const measure = (schema: GraphQLSchema, { document, kind, rootFields }: Operation, variables: Variables) => {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions) if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION)
  const spread = new Map<string, number>()
  let depends = false

  const sizeIn = (node: ArgumentNode | undefined): unknown => {
    if (node?.value.kind === Kind.INT) return Number(node.value.value)
    if (node?.value.kind !== Kind.VARIABLE) return undefined
    depends = true
    const name = node.value.name.value
    const given = variables?.[name]
    if (given !== undefined) return given
    const declared = operation?.variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue
    return declared?.kind === Kind.INT ? Number(declared.value) : undefined
  }
  /** The size of the page that a field gives; undefined for one that gives none. */
  const pageOf = (field: GraphQLField<unknown, unknown>, given: readonly ArgumentNode[] = []): number | undefined => {
    if (!field.args.some(({ name }) => name === 'first')) return undefined
    for (const name of ['first', 'last']) {
      const size = sizeIn(given.find((argument) => argument.name.value === name))
      if (typeof size === 'number') return Math.max(0, size)
    }
    return getNamedType(field.type).name === logPage ? logPageSize : pageSize
  }
  /** `page` is the size of the page that `type` is; lists in it are as long. */
  const costOf = ({ selections }: SelectionSetNode, type: GraphQLNamedType | undefined, page: number | undefined): number => {
    let cost = 0
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) cost += costOfSpread(selection.name.value, page)
      else if (selection.kind === Kind.FIELD) cost += costOfField(selection, type, page)
      else {
        const name = selection.typeCondition?.name.value
        cost += costOf(selection.selectionSet, name === undefined ? type : schema.getType(name), page)
      }
    }
    return cost
  }
  const costOfField = (node: FieldNode, type: GraphQLNamedType | undefined, page: number | undefined): number => {
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined
    // Without a selection it is a scalar; without a field, the graph's own.
    if (!field || !node.selectionSet) return 0
    const times = isListType(getNullableType(field.type)) ? (page ?? listSize) : 1
    return times * (1 + costOf(node.selectionSet, getNamedType(field.type), pageOf(field, node.arguments)))
  }
  const costOfSpread = (name: string, page: number | undefined): number => {
    const key = `${name} ${page}`
    const before = spread.get(key)
    if (before !== undefined) return before
    const fragment = fragments.get(name)
    const cost = fragment ? costOf(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value), page) : 0
    spread.set(key, cost)
    return cost
  }

  const objects = operation ? costOf(operation.selectionSet, schema.getRootType(kind) ?? undefined, undefined) : 0
  const shown = rootFields.has('__schema') || rootFields.has('__type') ? unitsOfIntrospection : 1
  const changes = kind === OperationTypeNode.MUTATION ? selectedFields(document, operation?.selectionSet).length : 1
  return { cost: { objects, units: Math.max(shown, changes, Math.ceil(objects / objectsPerUnit)) }, depends }
}

const logPage = 'SessionLogPage'
