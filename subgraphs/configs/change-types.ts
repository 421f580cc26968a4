import { addConnection, type Builder, pageArgs } from '../builder.ts'
import { makePageLoader } from '../child-pages.ts'
import { parsePage } from '../pages.ts'
import { type Change, changeActions } from './changes.ts'
import type { ConfigsService } from './service.ts'
import type { Refs } from './types.ts'

/** Who changed what, below everything that this subgraph keeps. */
export const addChanges = (builder: Builder, refs: Refs, service: ConfigsService): void => {
  const changesOf = makePageLoader((ids, page) => service.changesOf(ids, page))
  const Action = builder.enumType('ChangeAction', { values: changeActions })
  const Changed = builder.objectRef<Change>('Change').implement({
    description: 'What somebody changed. Secrets are named, and not shown.',
    fields: (t) => ({
      id: t.exposeID('id'),
      action: t.expose('action', { type: Action }),
      actor: t.exposeString('actor'),
      at: t.expose('at', { type: 'DateTime' }),
      before: t.expose('before', { type: 'JSON', description: 'The fields that differ, as they were.' }),
      after: t.expose('after', { type: 'JSON', description: 'The same fields as they are since.' }),
    }),
  })
  const Changes = addConnection(builder, 'Change', Changed)
  for (const ref of [refs.Game, refs.GameConfig, refs.Deployment])
    builder.objectField(ref as typeof refs.Game, 'changes', (t) =>
      t.field({
        type: Changes,
        description: 'Who changed it, the oldest first; `last: 10` gives the newest ten.',
        args: pageArgs(t),
        resolve: ({ id }, args, context) => changesOf(context, id, parsePage(args), null),
      }),
    )
}
