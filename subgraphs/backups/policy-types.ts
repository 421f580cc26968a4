import type { BackupPolicy } from '../../lib/domain/backup-policy.ts'
import type { Builder } from '../builder.ts'
import { addSaveHooks } from '../save-hooks.ts'

const text = {
  saveHooks: "Null takes the game config's.",
  include: "Globs of what is taken, relative to the volumes; empty is everything. Null takes the game config's.",
  exclude: "Globs of what is not taken; stronger than include. Null takes the game config's.",
  gzipLevel: '1 is fast, 9 is small.',
  spool: 'The whole archive is kept on the machine until it is stored, so that a restarted agent goes on uploading.',
  beforeStop: 'A session that is asked to stop is backed up first.',
  beforeRestore: 'What a restore replaces is backed up first.',
  keepLast: 'The newest so many are kept. Null, with the three below: all of them.',
  keepDaily: 'The newest one of each of so many days (UTC) that have one.',
  keepWeekly: 'The same of weeks, which begin on Monday.',
  keepMonthly: 'The same of months.',
  maxBackups: 'Beyond so many none is made. Null is no limit.',
  maxBytes: 'Beyond so many bytes of them none is made. Null is no limit.',
  stallMinutes: 'A backup or restore without progress for so long has failed.',
}

/** What a deployment wants of its backups. */
export const addPolicy = (builder: Builder) => {
  const { SaveHooks, SaveHooksInput } = addSaveHooks(builder)
  const Policy = builder.objectRef<BackupPolicy>('BackupPolicy').implement({
    description: 'What a deployment wants of its backups, with the defaults filled in.',
    fields: (t) => ({
      saveHooks: t.expose('saveHooks', { type: SaveHooks, nullable: true, description: text.saveHooks }),
      include: t.stringList({ nullable: true, description: text.include, resolve: ({ include }) => include && [...include] }),
      exclude: t.stringList({ nullable: true, description: text.exclude, resolve: ({ exclude }) => exclude && [...exclude] }),
      gzipLevel: t.exposeInt('gzipLevel', { description: text.gzipLevel }),
      spool: t.exposeBoolean('spool', { description: text.spool }),
      beforeStop: t.exposeBoolean('beforeStop', { description: text.beforeStop }),
      beforeRestore: t.exposeBoolean('beforeRestore', { description: text.beforeRestore }),
      keepLast: t.exposeInt('keepLast', { nullable: true, description: text.keepLast }),
      keepDaily: t.exposeInt('keepDaily', { nullable: true, description: text.keepDaily }),
      keepWeekly: t.exposeInt('keepWeekly', { nullable: true, description: text.keepWeekly }),
      keepMonthly: t.exposeInt('keepMonthly', { nullable: true, description: text.keepMonthly }),
      maxBackups: t.exposeInt('maxBackups', { nullable: true, description: text.maxBackups }),
      maxBytes: t.expose('maxBytes', { type: 'SafeInt', nullable: true, description: text.maxBytes }),
      stallMinutes: t.exposeInt('stallMinutes', { description: text.stallMinutes }),
    }),
  })
  const PolicyInput = builder.inputType('BackupPolicyInput', {
    description: 'What is left out stays as it is; null takes the default.',
    fields: (t) => ({
      saveHooks: t.field({ type: SaveHooksInput, description: text.saveHooks }),
      include: t.stringList({ description: text.include }),
      exclude: t.stringList({ description: text.exclude }),
      gzipLevel: t.int({ description: `${text.gzipLevel} 6 unless told.` }),
      spool: t.boolean({ description: `${text.spool} False unless told.` }),
      beforeStop: t.boolean({ description: `${text.beforeStop} False unless told.` }),
      beforeRestore: t.boolean({ description: `${text.beforeRestore} True unless told.` }),
      keepLast: t.int({ description: text.keepLast }),
      keepDaily: t.int({ description: text.keepDaily }),
      keepWeekly: t.int({ description: text.keepWeekly }),
      keepMonthly: t.int({ description: text.keepMonthly }),
      maxBackups: t.int({ description: text.maxBackups }),
      maxBytes: t.field({ type: 'SafeInt', description: text.maxBytes }),
      stallMinutes: t.int({ description: `${text.stallMinutes} 15 unless told.` }),
    }),
  })
  return { Policy, PolicyInput }
}
