import type { GraphQLSchema } from 'graphql'
import { addConnection, type Builder, makeBuilder, pageArgs, toSubgraphSchema } from '../builder.ts'
import { makePageLoader } from '../child-pages.ts'
import { makeLoader } from '../context.ts'
import { parsePage, toPage } from '../pages.ts'
import type { BackupsService } from './service.ts'
import { type Backup, backupStatuses } from './store.ts'

export const makeBackupsSchema = ({ service }: { service: BackupsService }): GraphQLSchema => {
  // Whoever runs games sees to their saves.
  const builder = makeBuilder({ mutationsFor: 'OPERATOR' })
  const { Backup, Backups } = addBackup(builder, service)
  const backupById = makeLoader((ids: readonly string[]) => service.byIds(ids))
  const key = builder.selection<{ id: string }>('id')
  builder.asEntity(Backup, { key, resolveReference: ({ id }, context) => backupById(context, id) })
  builder.queryFields((t) => ({
    backups: t.field({
      type: Backups,
      args: { ...pageArgs(t), serverGameConfigId: t.arg.id() },
      resolve: async (_, { serverGameConfigId, ...args }) => {
        const page = parsePage(args)
        const rows = await service.list(page, serverGameConfigId == null ? null : String(serverGameConfigId))
        return toPage(rows, page, (backup) => backup.id)
      },
    }),
    backup: t.field({
      type: Backup,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => backupById(context, String(id)),
    }),
  }))
  return toSubgraphSchema(builder)
}

const addBackup = (builder: Builder, service: BackupsService) => {
  const Status = builder.enumType('BackupStatus', { values: backupStatuses })
  const Deployment = builder.objectRef<{ id: string }>('ServerGameConfig')
  const Session = builder.objectRef<{ id: string }>('Session').implement({ fields: (t) => ({ id: t.exposeID('id') }) })
  const Backup = builder.objectRef<Backup>('Backup').implement({
    description: "An archive of a deployment's volume.",
    fields: (t) => ({
      id: t.exposeID('id'),
      deployment: t.field({
        type: Deployment,
        nullable: true,
        resolve: ({ serverGameConfigId }) => ({ id: serverGameConfigId }),
      }),
      session: t.field({
        type: Session,
        nullable: true,
        description: 'The session that ran meanwhile.',
        resolve: ({ sessionId }) => (sessionId === null ? null : { id: sessionId }),
      }),
      status: t.expose('status', { type: Status }),
      bytesDone: t.expose('bytesDone', { type: 'SafeInt', nullable: true }),
      sizeBytes: t.expose('sizeBytes', { type: 'SafeInt', nullable: true }),
      sha256: t.exposeString('sha256', { nullable: true }),
      createdAt: t.expose('createdAt', { type: 'DateTime' }),
      completedAt: t.expose('completedAt', { type: 'DateTime', nullable: true }),
      error: t.exposeString('error', { nullable: true }),
      locked: t.exposeBoolean('locked', { description: 'Kept whatever the rotation says.' }),
    }),
  })
  const Backups = addConnection(builder, 'Backup', Backup)
  const backupsOfDeployment = makePageLoader((ids, page) => service.ofDeployments(ids, page))
  Deployment.implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      backups: t.field({
        type: Backups,
        nullable: true,
        args: pageArgs(t),
        resolve: ({ id }, args, context) => backupsOfDeployment(context, id, parsePage(args), null),
      }),
    }),
  })
  const key = builder.selection<{ id: string }>('id')
  builder.asEntity(Deployment, { key, resolveReference: (deployment) => deployment })
  builder.asEntity(Session, { key: builder.keyDirective(key, false), resolveReference: (session) => session })
  return { Backup, Backups }
}
