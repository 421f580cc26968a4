import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type OperationTypeNode,
  type SelectionSetNode,
  separateOperations,
} from 'graphql'
import { codedError } from './errors.ts'

/** One operation, alone in its document. The same object for the same text and name, because query plans hang on it. */
export interface Operation {
  document: DocumentNode
  kind: OperationTypeNode
  /** Names of the fields at its root, fragments followed, aliases and `__typename` left out. */
  rootFields: ReadonlySet<string>
}

const known = new WeakMap<DocumentNode, Map<string | null, Operation>>()

/**
 * The operation of a validated document that a request means. Throws INVALID_INPUT (400) when the name is unknown, or is
 * missing where there are several.
 */
export const findOperation = (document: DocumentNode, operationName: string | null | undefined): Operation => {
  const byName = known.get(document) ?? new Map<string | null, Operation>()
  known.set(document, byName)
  const key = operationName ?? null
  const operation = byName.get(key) ?? separate(document, operationName)
  byName.set(key, operation)
  return operation
}

const separate = (document: DocumentNode, operationName: string | null | undefined): Operation => {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION)
  const node = operationName != null ? operations.find(({ name }) => name?.value === operationName) : operations[0]
  if (!node) throw codedError('INVALID_INPUT', `The document has no operation named ${operationName}.`, 400)
  if (operationName == null && operations.length > 1) {
    throw codedError('INVALID_INPUT', 'The document has several operations: say which by operationName.', 400)
  }
  const alone = operations.length === 1 ? document : separateOperations(document)[node.name?.value ?? '']
  return { document: alone ?? document, kind: node.operation, rootFields: rootFieldsOf(document, node) }
}

/** Fields of a selection, through fragments; `@skip` and `@include` change nothing. */
export const selectedFields = (document: DocumentNode, selectionSet: SelectionSetNode | undefined): FieldNode[] => {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions) if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  const fields: FieldNode[] = []
  const followed = new Set<string>()

  const collect = (set: SelectionSetNode | undefined): void => {
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) fields.push(selection)
      else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet)
      else if (!followed.has(selection.name.value)) {
        followed.add(selection.name.value)
        collect(fragments.get(selection.name.value)?.selectionSet)
      }
    }
  }
  collect(selectionSet)
  return fields
}

const rootFieldsOf = (document: DocumentNode, { selectionSet }: OperationDefinitionNode): ReadonlySet<string> => {
  const names = new Set(selectedFields(document, selectionSet).map(({ name }) => name.value))
  names.delete('__typename')
  return names
}

/** What a stranger may do: by these a host, or a user, comes to have a token. */
const openToStrangers = new Set(['enrollServer', 'login'])

/** True when every operation of the document asks for nothing but what a stranger may do. */
export const isForStrangers = (document: DocumentNode): boolean => {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION)
  return (
    operations.length > 0 &&
    operations.every((operation) => {
      const fields = rootFieldsOf(document, operation)
      return fields.size > 0 && [...fields].every((name) => openToStrangers.has(name))
    })
  )
}
