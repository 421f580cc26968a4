import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import type { GraphQLFieldResolver } from 'graphql'
import { auditInput } from '../lib/domain/audit-input.ts'
import { ManManError } from '../lib/domain/errors.ts'
import type { Context } from './context.ts'

/** Where mutations are told of. */
export interface Audit {
  /** Resolves when it is written; answers what adds the outcome, and never rejects. */
  begin(entry: AuditedMutation): Promise<(outcome: 'OK' | 'REFUSED' | 'UNKNOWN' | 'FAILED', code: string | null) => Promise<void>>
}

export interface AuditedMutation {
  actor: string
  actorKind: Context['identity']['kind']
  userId: string | null
  role: Context['role'] | null
  mutation: string
  input: unknown
  address: string | null
  agent: string | null
}

/**
 * Tells of every mutation before it is done, also of one that is refused to who asks; what can't be told of is not done. Where
 * a context has no audit nothing is told.
 */
export const audited = async <Result>(
  context: Context,
  mutation: string,
  args: Readonly<Record<string, unknown>>,
  run: () => Promise<Result>,
): Promise<Result> => {
  const { audit, identity, role } = context
  if (!audit) return run()
  const end = await audit.begin({
    actor: identity.sub,
    actorKind: identity.kind,
    userId: identity.user ?? null,
    role: role ?? null,
    mutation,
    input: auditInput(args),
    address: identity.from?.address ?? null,
    agent: identity.from?.agent ?? null,
  })
  try {
    const result = await run()
    await end('OK', null)
    return result
  } catch (error) {
    if (error instanceof ManManError) await end(error.code === 'OUTCOME_UNKNOWN' ? 'UNKNOWN' : 'REFUSED', error.code)
    else await end('FAILED', null)
    throw error
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      manmanAudit: AuditPlugin<Types>
    }
  }
}

/** A class, because Pothos takes nothing else. */
class AuditPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolve: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { kind, name }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (kind !== 'Mutation') return resolve
    return (source, args, context, info) =>
      audited(context as Context, name, args as Record<string, unknown>, async () => resolve(source, args, context, info))
  }
}

export const auditPlugin = 'manmanAudit'
SchemaBuilder.registerPlugin(auditPlugin, AuditPlugin)
