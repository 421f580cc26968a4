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
import type { ErrorCode } from '../../lib/domain/errors.ts'
import { type LimitName, type Limits, limitError, type Refused } from '../limits.ts'

interface Size {
  depth: number
  introspectionDepth: number
  aliases: number
  fields: number
}

/** The rules every document must pass before it runs, over HTTP as over WebSocket. Their errors have code LIMIT_EXCEEDED. */
export const makeLimitRules = (limits: Limits, refused: Refused): ValidationRule[] => [
  makeNestingRule(limits, refused),
  (context: ValidationContext): ASTVisitor => {
    const sizeOf = makeMeter(context.getDocument())
    return {
      OperationDefinition: (operation) => {
        const size = sizeOf(operation.selectionSet)
        const rootFields = operation.selectionSet.selections.length
        const check = (name: LimitName, what: string, actual: number, limit: number): void => {
          if (actual <= limit) return
          refused(name)
          context.reportError(limitError(name, `The operation ${what}; at most ${limit} are allowed.`))
        }
        check('depth', `is ${size.depth} fields deep`, size.depth, limits.maxDepth)
        const { introspectionDepth } = size
        check('introspection_depth', `is ${introspectionDepth} fields deep`, introspectionDepth, limits.maxIntrospectionDepth)
        check('aliases', `has ${size.aliases} aliases`, size.aliases, limits.maxAliases)
        check('root_fields', `has ${rootFields} fields at its root`, rootFields, limits.maxRootFields)
        check('fields', `has ${size.fields} fields`, size.fields, limits.maxFields)
      },
    }
  },
]

/** The planner reads no deeper than this, and would call it a fault of ours. */
const plannerDepth = 40

/** Levels of lists and objects in what stands in the document itself, and of lists in types. */
const makeNestingRule =
  (limits: Limits, refused: Refused): ValidationRule =>
  (context: ValidationContext): ASTVisitor => {
    const max = Math.min(limits.maxVariableDepth, plannerDepth)
    let depth = 0
    const level = {
      enter: () => {
        if (++depth !== max + 1) return
        refused('variable_depth')
        context.reportError(limitError('variable_depth', `Values may be ${max} levels deep at most.`))
      },
      leave: () => {
        depth--
      },
    }
    return { ListValue: level, ObjectValue: level, ListType: level }
  }

/** Refuses to show the graph, where that is switched off. */
export const makeIntrospectionRule =
  (refused: Refused): ValidationRule =>
  (context: ValidationContext): ASTVisitor => ({
    Field: (node) => {
      if (node.name.value !== '__schema' && node.name.value !== '__type') return
      refused('introspection')
      const extensions = { code: 'FORBIDDEN' satisfies ErrorCode, limit: 'introspection' satisfies LimitName }
      context.reportError(new GraphQLError('Introspection is switched off here.', { nodes: [node], extensions }))
    },
  })

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
