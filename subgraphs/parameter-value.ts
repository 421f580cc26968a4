import type { ParameterValue } from '../lib/parameters/values.ts'
import type { Builder } from './builder.ts'

/** What a parameter has, of a deployment or of a session. */
export const addParameterValue = (builder: Builder) =>
  builder.objectRef<ParameterValue>('ParameterValue').implement({
    shareable: true,
    fields: (t) => ({
      name: t.exposeString('name'),
      value: t.exposeString('value', { nullable: true, description: 'As text. Null without one, and always for a SECRET.' }),
      source: t.exposeString('source', {
        description: 'DEFAULT (the config), DEPLOYMENT or SESSION: where the value comes from. NONE without one.',
      }),
    }),
  })
