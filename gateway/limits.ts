import {
  type ASTVisitor,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'

export interface Limits {
  /** Levels of fields; a connection is three. Introspection has its own, since tools ask it deeper than data is. */
  maxDepth: number
  maxIntrospectionDepth: number
  /** Aliases in an operation, those of its fragments counted wherever they are spread. */
  maxAliases: number
  /** Fields at an operation's root: each is work of its own, so this is the size of a batch. */
  maxRootFields: number
  /** Fields in an operation, fragments spread out. */
  maxFields: number
  /** Tokens of a document, counted as it is read. Also what keeps nesting (two tokens a level) from the end of the stack. */
  maxTokens: number
  /** Bytes of one request, over HTTP as over WebSocket. */
  maxRequestBytes: number
  /** Time a WebSocket may take to its connection_init. */
  initTimeoutMs: number
  maxSockets: number
  /** Operations under way on one WebSocket, subscriptions included. */
  maxOperationsPerSocket: number
}

export const defaultLimits: Limits = {
  maxDepth: 16,
  maxIntrospectionDepth: 20,
  maxAliases: 50,
  maxRootFields: 20,
  maxFields: 1_000,
  maxTokens: 2_000,
  maxRequestBytes: 2 * 1024 * 1024,
  initTimeoutMs: 5_000,
  maxSockets: 5_000,
  maxOperationsPerSocket: 100,
}

interface Size {
  depth: number
  introspectionDepth: number
  aliases: number
  fields: number
}

/** The rules every document must pass before it runs, over HTTP as over WebSocket. Their errors have code LIMIT_EXCEEDED. */
export const makeLimitRules = (limits: Limits): ValidationRule[] => [
  (context: ValidationContext): ASTVisitor => {
    const sizeOf = makeMeter(context.getDocument())
    return {
      OperationDefinition: (operation) => {
        const size = sizeOf(operation.selectionSet)
        const rootFields = operation.selectionSet.selections.length
        const check = (what: string, actual: number, limit: number): void => {
          if (actual > limit) context.reportError(limitError(`The operation ${what}; at most ${limit} are allowed.`))
        }
        check(`is ${size.depth} fields deep`, size.depth, limits.maxDepth)
        check(`is ${size.introspectionDepth} fields deep`, size.introspectionDepth, limits.maxIntrospectionDepth)
        check(`has ${size.aliases} aliases`, size.aliases, limits.maxAliases)
        check(`has ${rootFields} fields at its root`, rootFields, limits.maxRootFields)
        check(`has ${size.fields} fields`, size.fields, limits.maxFields)
      },
    }
  },
]

export const limitCode = 'LIMIT_EXCEEDED'

export const limitError = (message: string): GraphQLError => new GraphQLError(message, { extensions: { code: limitCode } })

/** Sizes of selection sets, each fragment measured once: text that spreads fragments in fragments grows exponentially. */
const makeMeter = (document: DocumentNode) => {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions) if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  const measured = new Map<string, Size>()

  const sizeOfFragment = (name: string): Size => {
    const known = measured.get(name)
    if (known) return known
    // Stands for the fragment while it is measured, so that one that spreads itself ends here; another rule refuses it.
    measured.set(name, nothing)
    const fragment = fragments.get(name)
    const size = fragment ? sizeOf(fragment.selectionSet) : nothing
    measured.set(name, size)
    return size
  }

  const sizeOfField = (field: FieldNode): Size => {
    const inner = field.selectionSet ? sizeOf(field.selectionSet) : nothing
    const isIntrospection = field.name.value.startsWith('__')
    return {
      depth: isIntrospection ? 0 : inner.depth + 1,
      introspectionDepth: isIntrospection ? Math.max(inner.depth, inner.introspectionDepth) + 1 : inner.introspectionDepth,
      aliases: inner.aliases + (field.alias ? 1 : 0),
      fields: inner.fields + 1,
    }
  }

  const sizeOf = ({ selections }: SelectionSetNode): Size => selections.map(sizeOfSelection).reduce(sum, nothing)

  const sizeOfSelection = (selection: SelectionNode): Size => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return sizeOfFragment(selection.name.value)
    return selection.kind === Kind.INLINE_FRAGMENT ? sizeOf(selection.selectionSet) : sizeOfField(selection)
  }
  return sizeOf
}

const nothing: Size = { depth: 0, introspectionDepth: 0, aliases: 0, fields: 0 }

const sum = (a: Size, b: Size): Size => ({
  depth: Math.max(a.depth, b.depth),
  introspectionDepth: Math.max(a.introspectionDepth, b.introspectionDepth),
  aliases: a.aliases + b.aliases,
  fields: a.fields + b.fields,
})
