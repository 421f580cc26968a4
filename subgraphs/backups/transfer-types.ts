import type { ObjectRef } from '@pothos/core'
import { Conflict, NotFound, Unavailable } from '../../lib/domain/errors.ts'
import { transferStatuses, transferSteps } from '../../lib/domain/transfers.ts'
import { type Builder, forMembers, forOperators, type SchemaTypes } from '../builder.ts'
import { type Context, makeLoader } from '../context.ts'
import type { Backup, Restore } from './store.ts'
import type { Transfer, Transfers } from './transfers.ts'

type Ref<Row> = ObjectRef<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, Row>

/** Moves of deployments to other servers. `mutationType` comes before. */
export const addTransfers = (
  builder: Builder,
  refs: { Deployment: Ref<{ id: string }>; Backup: Ref<Backup>; Restore: Ref<Restore> },
  loaders: {
    backup: (context: Context, id: string) => Promise<Backup | null>
    restore: (context: Context, id: string) => Promise<Restore | null>
    deployment: (context: Context, id: string) => Promise<{ id: string } | null>
    server: (context: Context, id: string) => Promise<{ id: string } | null>
  },
  service: Transfers,
): void => {
  const Status = builder.enumType('TransferStatus', { values: transferStatuses })
  const Step = builder.enumType('TransferStep', {
    description: 'What it is at, or was at last. A failure before the end goes back: ROLLING_BACK, then RESUMING what ran.',
    values: transferSteps,
  })
  const Server = builder.objectRef<{ id: string }>('Server').implement({ fields: (t) => ({ id: t.exposeID('id') }) })
  const key = builder.selection<{ id: string }>('id')
  builder.asEntity(Server, { key: builder.keyDirective(key, false), resolveReference: (server) => server })
  const TransferType = builder.objectRef<Transfer>('Transfer').implement({
    description: 'A move of a deployment to another server.',
    fields: (t) => ({
      id: t.exposeID('id'),
      deployment: t.field({
        type: refs.Deployment,
        nullable: true,
        resolve: (row, _, context) => loaders.deployment(context, row.serverGameConfigId),
      }),
      status: t.expose('status', { type: Status, description: 'FAILED: the deployment is where it was.' }),
      step: t.expose('step', { type: Step }),
      from: t.field({ type: Server, nullable: true, resolve: (row, _, context) => loaders.server(context, row.fromServerId) }),
      to: t.field({ type: Server, nullable: true, resolve: (row, _, context) => loaders.server(context, row.toServerId) }),
      backup: t.field({
        type: refs.Backup,
        nullable: true,
        description: 'What is carried; null where there is nothing yet. Kept, however the move ends.',
        resolve: ({ backupId }, _, context) => (backupId === null ? null : loaders.backup(context, backupId)),
      }),
      restore: t.field({
        type: refs.Restore,
        nullable: true,
        description: 'How it is unpacked on the other server.',
        resolve: ({ restoreId }, _, context) => (restoreId === null ? null : loaders.restore(context, restoreId)),
      }),
      error: t.exposeString('error', { nullable: true, description: 'Why it goes back, or has.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime' }),
      endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true }),
    }),
  })
  const transferById = makeLoader((ids: readonly string[], { access }) => service.transfersByIds(ids, access))
  const transferOf = makeLoader((ids: readonly string[]) => service.transfersOf(ids))
  builder.objectFields(refs.Deployment, (t) => ({
    transfer: t.field({
      type: TransferType,
      nullable: true,
      description: 'Its newest move to another server.',
      resolve: ({ id }, _, context) => transferOf(context, id),
    }),
  }))
  builder.queryFields((t) => ({
    transfer: t.field({
      ...forMembers,
      type: TransferType,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => transferById(context, String(id)),
    }),
  }))
  const Input = builder.inputType('TransferDeploymentInput', {
    fields: (t) => ({ serverGameConfigId: t.id({ required: true }), toServerId: t.id({ required: true }) }),
  })
  builder.mutationFields((t) => ({
    transferDeployment: t.field({
      ...forOperators,
      type: refs.Deployment,
      errors: { types: [NotFound, Unavailable, Conflict] },
      description:
        'Moves it with its data: stops its session, backs it up, restores it there and starts it again. What fails goes back.',
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: (_, { input }, { actor }) => service.transferDeployment(input, actor),
    }),
  }))
}
