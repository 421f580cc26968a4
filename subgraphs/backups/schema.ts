import type { GraphQLSchema } from 'graphql'
import { Conflict, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import { addConnection, addDeletePayload, type Builder, forMembers, makeBuilder, pageArgs, toSubgraphSchema } from '../builder.ts'
import { parsePage, toPage } from '../pages.ts'
import { addBackupTypes, type BackupTypes } from './backup-types.ts'
import type { BackupFile } from './contents.ts'
import { addMutations } from './mutation-types.ts'
import { addSchedules } from './schedule-types.ts'
import type { BackupsService } from './service.ts'
import type { Backup, Restore } from './store.ts'
import { addTransfers } from './transfer-types.ts'

export interface BackupsSchemaDeps {
  service: BackupsService
  /** A backup each time it has changed, first as it is, until it has ended or is not seen any more. */
  backupChanged: (id: string, access: Access) => AsyncIterable<Backup>
  /** The same of a restore. */
  restoreChanged: (restore: Restore, access: Access) => AsyncIterable<Restore>
}

export const makeBackupsSchema = (deps: BackupsSchemaDeps): GraphQLSchema => {
  const builder = makeBuilder({ errors: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] })
  const types = addBackupTypes(builder, deps.service)
  addQueries(builder, types, deps.service)
  addFiles(builder, deps.service)
  const DeletePayload = addDeletePayload(builder)
  addMutations(builder, { ...types, DeletePayload }, deps.service)
  addTransfers(builder, types, types.loaders, deps.service)
  addSchedules(builder, { ...types, DeletePayload }, deps.service)
  addSubscriptions(builder, types, deps)
  return toSubgraphSchema(builder)
}

const addQueries = (builder: Builder, types: BackupTypes, service: BackupsService): void => {
  const Filter = builder.inputType('BackupFilter', {
    description: 'Every given field narrows.',
    fields: (t) => ({
      statuses: t.field({ type: [types.Status] }),
      triggers: t.field({ type: [types.Trigger] }),
      locked: t.boolean(),
      deleted: t.boolean({ description: 'True lists deleted ones, which are left out otherwise.' }),
    }),
  })
  builder.queryFields((t) => ({
    backups: t.field({
      ...forMembers,
      type: types.Backups,
      description: 'The oldest first; `last: 10` gives the newest ten.',
      args: { ...pageArgs(t), serverGameConfigId: t.arg.id(), filter: t.arg({ type: Filter }) },
      resolve: async (_, { serverGameConfigId, filter, ...args }, { access }) => {
        const page = parsePage(args)
        const narrowed = {
          serverGameConfigId: serverGameConfigId == null ? null : String(serverGameConfigId),
          statuses: filter?.statuses ?? null,
          triggers: filter?.triggers ?? null,
          locked: filter?.locked ?? null,
          deleted: filter?.deleted ?? false,
        }
        return toPage(await service.list(narrowed, page, access), page, (backup) => backup.id)
      },
    }),
    backup: t.field({
      ...forMembers,
      type: types.Backup,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => types.loaders.backup(context, String(id)),
    }),
    restore: t.field({
      ...forMembers,
      type: types.Restore,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => types.loaders.restore(context, String(id)),
    }),
  }))
}

const addFiles = (builder: Builder, service: BackupsService): void => {
  const Kind = builder.enumType('BackupFileKind', {
    values: { FILE: { value: 'file' }, DIRECTORY: { value: 'directory' }, LINK: { value: 'link' } } as const,
  })
  const File = builder.objectRef<BackupFile>('BackupFile').implement({
    fields: (t) => ({
      path: t.exposeString('path', {
        description: "In the backup: data/… is the deployment's own volume, volumes/{name}/… its others.",
      }),
      name: t.exposeString('name'),
      kind: t.expose('kind', { type: Kind }),
      bytes: t.expose('bytes', { type: 'SafeInt' }),
      mode: t.exposeInt('mode', { nullable: true, description: 'Permissions.' }),
      modifiedAt: t.field({
        type: 'DateTime',
        nullable: true,
        resolve: ({ mtime }) => (mtime === null ? null : new Date(mtime * 1000)),
      }),
    }),
  })
  const Files = addConnection(builder, 'BackupFile', File)
  builder.queryField('backupFiles', (t) =>
    t.field({
      ...forMembers,
      type: Files,
      description: 'What is in a directory of a backup, which is not downloaded for it.',
      args: {
        backupId: t.arg.id({ required: true }),
        path: t.arg.string({ description: 'The root unless told.' }),
        first: t.arg.int(),
        after: t.arg.string(),
      },
      resolve: async (_, { backupId, path, ...args }, { access }) => {
        const page = parsePage(args)
        const files = await service.files(String(backupId), path ?? '', page, access)
        return toPage(files, page, ({ place }) => String(place))
      },
    }),
  )
}

const addSubscriptions = (builder: Builder, types: BackupTypes, deps: BackupsSchemaDeps): void => {
  builder.subscriptionType({})
  builder.subscriptionFields((t) => ({
    backupChanged: t.field({
      ...forMembers,
      type: types.Backup,
      description: 'A backup whenever its row changes, first as it is now, until it has ended.',
      args: { backupId: t.arg.id({ required: true }) },
      subscribe: async (_, { backupId }, { access }) =>
        deps.backupChanged((await deps.service.find(String(backupId), access)).id, access),
      resolve: (backup) => backup,
    }),
    restoreChanged: t.field({
      ...forMembers,
      type: types.Restore,
      description: 'A restore whenever its row changes, first as it is now, until it has ended.',
      args: { restoreId: t.arg.id({ required: true }) },
      subscribe: async (_, { restoreId }, { access }) =>
        deps.restoreChanged(await deps.service.findRestore(String(restoreId), access), access),
      resolve: (restore) => restore,
    }),
  }))
}
