import type { SaveHooks } from '../lib/domain/backup-policy.ts'
import type { Builder } from './builder.ts'

const before = 'Lines typed before the files are read.'
const after = 'Lines typed afterwards, whatever happened.'
const waitFor = 'RE2 syntax: a line of the output that fits says that all is saved. Null waits for none.'

/** How a game is made to save around a backup, of a config or of a deployment. */
export const addSaveHooks = (builder: Builder) => ({
  SaveHooks: builder.objectRef<SaveHooks>('SaveHooks').implement({
    shareable: true,
    fields: (t) => ({
      before: t.stringList({ description: before, resolve: (hooks) => [...hooks.before] }),
      waitFor: t.exposeString('waitFor', { nullable: true, description: waitFor }),
      timeoutSeconds: t.exposeInt('timeoutSeconds', {
        description: 'How long that line may take; without it the backup goes on, and says so.',
      }),
      after: t.stringList({ description: after, resolve: (hooks) => [...hooks.after] }),
    }),
  }),
  SaveHooksInput: builder.inputType('SaveHooksInput', {
    fields: (t) => ({
      before: t.stringList({ description: before }),
      waitFor: t.string({ description: waitFor }),
      timeoutSeconds: t.int({ description: '60 unless told, at most 600.' }),
      after: t.stringList({ description: after }),
    }),
  }),
})

export type SaveHookTypes = ReturnType<typeof addSaveHooks>
