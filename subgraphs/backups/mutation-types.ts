import { Conflict, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import { type addDeletePayload, type Builder, forMembers } from '../builder.ts'
import type { BackupTypes } from './backup-types.ts'
import type { BackupsService } from './service.ts'

type Types = BackupTypes & { DeletePayload: ReturnType<typeof addDeletePayload> }

/** Everything that is done to backups. The first of the subgraph's mutations: it makes their type. */
export const addMutations = (builder: Builder, types: Types, service: BackupsService): void => {
  const CreateInput = builder.inputType('CreateBackupInput', {
    fields: (t) => ({
      serverGameConfigId: t.id({ required: true }),
      locked: t.boolean({ description: 'Kept whatever the rotation says. False unless told.' }),
    }),
  })
  const RestoreInput = builder.inputType('RestoreBackupInput', {
    fields: (t) => ({
      backupId: t.id({ required: true }),
      serverGameConfigId: t.id({ description: "Another deployment of the same game; the backup's own unless told." }),
      paths: t.stringList({ description: 'Only these, as `backupFiles` names them, with all that is below.' }),
      withoutBackup: t.boolean({ description: 'Whatever the policy says, what is replaced is not backed up first.' }),
    }),
  })
  const UpdateInput = builder.inputType('UpdateBackupInput', {
    description: 'What is left out, or null, stays as it is.',
    fields: (t) => ({ locked: t.boolean() }),
  })
  builder.mutationType({})
  builder.mutationFields((t) => ({
    createBackup: t.field({
      ...forMembers,
      type: types.Backup,
      description: 'Answers with a PENDING backup; how it goes on, `backupChanged` tells. A session may run meanwhile.',
      errors: { types: [NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: CreateInput, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireOnDeployment(access, String(input.serverGameConfigId))
        return service.create(input, actor)
      },
    }),
    restoreBackup: t.field({
      ...forMembers,
      type: types.Restore,
      description:
        'Answers with a PENDING restore; how it goes on, `restoreChanged` tells. No session of the deployment may be live, and ' +
        'none begins before it is over.',
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: RestoreInput, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireOnBackup(access, String(input.backupId))
        if (input.serverGameConfigId != null) await service.requireOnDeployment(access, String(input.serverGameConfigId))
        return service.restore(input, actor)
      },
    }),
    deleteBackup: t.field({
      ...forMembers,
      type: types.DeletePayload,
      description: 'With all that is stored of it. Already deleted is success.',
      errors: { types: [NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_, { id }, { access }) => {
        await service.requireOnBackup(access, String(id))
        return service.delete(String(id))
      },
    }),
    updateBackup: t.field({
      ...forMembers,
      type: types.Backup,
      errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }), input: t.arg({ type: UpdateInput, required: true }) },
      resolve: async (_, { id, input }, { access }) => {
        await service.requireOnBackup(access, String(id))
        return service.update(String(id), input)
      },
    }),
    cancelBackup: t.field({
      ...forMembers,
      type: types.Backup,
      description: 'Ends a backup that is under way: it has FAILED. Already ended is success.',
      errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_, { id }, { actor, access }) => {
        await service.requireOnBackup(access, String(id))
        return service.cancel(String(id), actor)
      },
    }),
    updateBackupPolicy: t.field({
      ...forMembers,
      type: types.Deployment,
      errors: { types: [Invalid, NotFound, Unavailable, OutcomeUnknown] },
      args: {
        serverGameConfigId: t.arg.id({ required: true }),
        input: t.arg({ type: types.PolicyInput, required: true }),
      },
      resolve: async (_, { serverGameConfigId, input }, { actor, access }) => {
        await service.requireOnDeployment(access, String(serverGameConfigId))
        return service.updatePolicy(String(serverGameConfigId), input, actor)
      },
    }),
  }))
}
