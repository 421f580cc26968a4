import { backupTriggers } from '../../lib/domain/backup-policy.ts'
import { fullAccess } from '../../lib/domain/permissions.ts'
import { backupPhases, restorePhases } from '../../lib/messages/backups.ts'
import { addConnection, type Builder, forMembers, pageArgs } from '../builder.ts'
import { makePageLoader } from '../child-pages.ts'
import { makeLoader } from '../context.ts'
import { parsePage } from '../pages.ts'
import { makeReference } from '../references.ts'
import { addPolicy } from './policy-types.ts'
import type { BackupsService } from './service.ts'
import { type Backup, backupStatuses, type Restore } from './store.ts'

/** Backups and restores, and what this subgraph adds to deployments and sessions. */
export const addBackupTypes = (builder: Builder, service: BackupsService) => {
  const Status = builder.enumType('BackupStatus', { values: backupStatuses })
  const Trigger = builder.enumType('BackupTrigger', { description: 'What a backup was made for.', values: backupTriggers })
  const refs = {
    Backup: builder.objectRef<Backup>('Backup'),
    Restore: builder.objectRef<Restore>('Restore'),
    Deployment: builder.objectRef<{ id: string }>('ServerGameConfig'),
    Session: builder.objectRef<{ id: string }>('Session'),
  }
  const loaders = makeLoaders(service)
  const Backups = addConnection(builder, 'Backup', refs.Backup)
  const Restores = addConnection(builder, 'Restore', refs.Restore)
  const types = { ...refs, Status, Trigger, Backups, Restores, ...addPolicy(builder) }
  implementBackup(builder, types, loaders, service)
  implementRestore(builder, types, loaders)
  implementDeployment(builder, types, loaders)
  implementSession(builder, types, loaders)
  return { ...types, loaders }
}

export type BackupTypes = ReturnType<typeof addBackupTypes>
type Types = Omit<BackupTypes, 'loaders'>
type Loaders = ReturnType<typeof makeLoaders>

const makeLoaders = (service: BackupsService) => ({
  backup: makeLoader((ids: readonly string[], { access }) => service.byIds(ids, access)),
  /** Also one that may not be seen by itself. */
  anyBackup: makeLoader((ids: readonly string[]) => service.byIds(ids, fullAccess)),
  restore: makeLoader((ids: readonly string[], { access }) => service.restoresByIds(ids, access)),
  deployment: makeReference(service.deploymentsSeen),
  server: makeReference(service.serversSeen),
  policy: makeLoader((ids: readonly string[]) => service.policiesOf(ids)),
  beforeStop: makeLoader((ids: readonly string[], { access }) => service.beforeStopOf(ids, access)),
  backupsOfDeployment: makePageLoader((ids, page) => service.ofDeployments(ids, page)),
  restoresOfDeployment: makePageLoader((ids, page) => service.restoresOfDeployments(ids, page)),
  restoresOfBackup: makePageLoader((ids, page, _: null, { access }) => service.restoresOfBackups(ids, page, access)),
})

const implementBackup = (builder: Builder, types: Types, loaders: Loaders, service: BackupsService): void => {
  const Phase = builder.enumType('BackupPhase', { description: 'What its host is at.', values: backupPhases })
  types.Backup.implement({
    description: "An archive of a deployment's volumes.",
    fields: (t) => ({
      id: t.exposeID('id'),
      deployment: t.field({
        type: types.Deployment,
        nullable: true,
        resolve: ({ serverGameConfigId }, _, context) => loaders.deployment(context, serverGameConfigId),
      }),
      session: t.field({
        type: types.Session,
        nullable: true,
        description: 'The session that ran meanwhile.',
        // It is seen by who sees its deployment, which is the backup's.
        resolve: async ({ sessionId, serverGameConfigId }, _, context) =>
          sessionId !== null && (await loaders.deployment(context, serverGameConfigId)) ? { id: sessionId } : null,
      }),
      status: t.expose('status', { type: types.Status }),
      phase: t.expose('phase', {
        type: Phase,
        nullable: true,
        description: 'Null before it was begun, and once it is COMPLETED.',
      }),
      trigger: t.expose('trigger', { type: types.Trigger }),
      bytesDone: t.expose('bytesDone', { type: 'SafeInt', nullable: true, description: 'Of the archive, stored so far.' }),
      sizeBytes: t.expose('sizeBytes', { type: 'SafeInt', nullable: true, description: 'Of the archive.' }),
      contentBytes: t.expose('contentBytes', { type: 'SafeInt', nullable: true, description: 'The same unpacked.' }),
      entries: t.expose('entries', { type: 'SafeInt', nullable: true, description: 'Files, directories and links in it.' }),
      sha256: t.exposeString('sha256', { nullable: true }),
      createdAt: t.expose('createdAt', { type: 'DateTime' }),
      completedAt: t.expose('completedAt', { type: 'DateTime', nullable: true, description: 'When it ended, however.' }),
      error: t.exposeString('error', {
        nullable: true,
        description: 'Why it failed; of a COMPLETED one, why it can not be had now.',
      }),
      warnings: t.stringList({
        description: 'What could not be taken as it was.',
        resolve: ({ warnings }) => warnings,
      }),
      locked: t.exposeBoolean('locked', { description: 'Kept whatever the rotation says.' }),
      deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true }),
      downloadUrl: t.string({
        ...forMembers,
        nullable: true,
        description:
          'Where the archive can be had for an hour, by whoever has the address; told to who may have it now. One without a scheme ' +
          'is a path at the door. ' +
          'Null while there is none.',
        resolve: (backup, _, { access }) => service.downloadUrl(backup, access),
      }),
      restores: t.field({
        type: types.Restores,
        args: pageArgs(t),
        resolve: ({ id }, args, context) => loaders.restoresOfBackup(context, id, parsePage(args), null),
      }),
    }),
  })
  const key = builder.selection<{ id: string }>('id')
  builder.asEntity(types.Backup, { key, resolveReference: ({ id }, context) => loaders.backup(context, id) })
}

const implementRestore = (builder: Builder, types: Types, loaders: Loaders): void => {
  const Phase = builder.enumType('RestorePhase', { description: 'What its host is at.', values: restorePhases })
  types.Restore.implement({
    description: 'What a backup holds, put back into a deployment. FAILED: all is as it was before.',
    fields: (t) => ({
      id: t.exposeID('id'),
      backup: t.field({
        type: types.Backup,
        description: 'Also when it is of another deployment, which may not be seen.',
        resolve: async ({ backupId }, _, context) => (await loaders.anyBackup(context, backupId))!,
      }),
      deployment: t.field({
        type: types.Deployment,
        nullable: true,
        resolve: ({ serverGameConfigId }, _, context) => loaders.deployment(context, serverGameConfigId),
      }),
      status: t.expose('status', { type: types.Status }),
      phase: t.expose('phase', { type: Phase, nullable: true, description: 'Null before it was begun.' }),
      bytesDone: t.expose('bytesDone', {
        type: 'SafeInt',
        nullable: true,
        description: 'Of the archive, on the machine so far.',
      }),
      error: t.exposeString('error', { nullable: true }),
      paths: t.stringList({
        nullable: true,
        description: 'Only these; null is all.',
        resolve: ({ paths }) => paths,
      }),
      waitsFor: t.field({
        type: types.Backup,
        nullable: true,
        description: 'The backup, of what is replaced, that comes first.',
        resolve: ({ waitsFor }, _, context) => (waitsFor === null ? null : loaders.backup(context, waitsFor)),
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime' }),
      completedAt: t.expose('completedAt', { type: 'DateTime', nullable: true, description: 'When it ended, however.' }),
    }),
  })
}

const implementDeployment = (builder: Builder, types: Types, loaders: Loaders): void => {
  types.Deployment.implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      backups: t.field({
        type: types.Backups,
        nullable: true,
        description: 'The oldest first, without deleted ones.',
        args: pageArgs(t),
        resolve: ({ id }, args, context) => loaders.backupsOfDeployment(context, id, parsePage(args), null),
      }),
      restores: t.field({
        type: types.Restores,
        nullable: true,
        description: 'Into this deployment, the oldest first.',
        args: pageArgs(t),
        resolve: ({ id }, args, context) => loaders.restoresOfDeployment(context, id, parsePage(args), null),
      }),
      backupPolicy: t.field({
        type: types.Policy,
        nullable: true,
        resolve: ({ id }, _, context) => loaders.policy(context, id),
      }),
    }),
  })
  const key = builder.selection<{ id: string }>('id')
  // What hangs on a deployment is open to who sees it, and reached only through here or something else of it.
  builder.asEntity(types.Deployment, { key, resolveReference: ({ id }, context) => loaders.deployment(context, id) })
}

const implementSession = (builder: Builder, types: Types, loaders: Loaders): void => {
  types.Session.implement({
    fields: (t) => ({
      id: t.exposeID('id'),
      stopsAfter: t.field({
        type: types.Backup,
        nullable: true,
        description: 'It is asked to stop, once this backup is over.',
        resolve: ({ id }, _, context) => loaders.beforeStop(context, id),
      }),
    }),
  })
  const key = builder.selection<{ id: string }>('id')
  builder.asEntity(types.Session, { key, resolveReference: (session) => session })
}
