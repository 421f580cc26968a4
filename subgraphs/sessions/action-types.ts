import { Conflict, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import { addConnection, type Builder, forMembers, pageArgs } from '../builder.ts'
import { makePageLoader } from '../child-pages.ts'
import { parsePage } from '../pages.ts'
import type { ActionRun } from './action-store.ts'
import type { InputPayload } from './input-types.ts'
import type { SessionsService } from './service.ts'
import type { SessionTypes } from './session-types.ts'

export const addActionRuns = (
  builder: Builder,
  { Session }: SessionTypes,
  Payload: InputPayload,
  service: SessionsService,
): void => {
  const runsOf = makePageLoader((ids, page) => service.actionRunsOf(ids, page))
  const Run = builder.objectRef<ActionRun>('ActionRun').implement({
    description: 'An action that somebody ran.',
    fields: (t) => ({
      id: t.exposeID('id'),
      actionId: t.exposeID('actionId'),
      name: t.exposeString('name', { description: 'As it was called then.' }),
      values: t.expose('values', { type: 'JSON' }),
      line: t.exposeString('line', { description: 'What was typed.' }),
      actor: t.exposeString('actor'),
      at: t.expose('at', { type: 'DateTime' }),
      writtenAt: t.expose('writtenAt', {
        type: 'DateTime',
        nullable: true,
        description: "When the host had written it to the game's stdin. Null where it did not, or nobody knows.",
      }),
      error: t.exposeString('error', { nullable: true }),
    }),
  })
  const Runs = addConnection(builder, 'ActionRun', Run)
  builder.objectField(Session, 'actionRuns', (t) =>
    t.field({
      type: Runs,
      description: 'The oldest first; `last: 10` gives the newest ten.',
      args: pageArgs(t),
      resolve: ({ id }, args, context) => runsOf(context, id, parsePage(args), null),
    }),
  )
  const Input = builder.inputType('RunActionInput', {
    fields: (t) => ({
      sessionId: t.id({ required: true }),
      actionId: t.id({ required: true }),
      values: t.field({ type: 'JSON', description: "An object of values by the name of the action's inputs." }),
    }),
  })
  builder.mutationField('runAction', (t) =>
    t.field({
      ...forMembers,
      type: Payload,
      description: "Types an action of the session's deployment into its console, filled in with `values`.",
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireOnSession(access, String(input.sessionId), 'CONSOLE')
        return service.runAction(input, actor)
      },
    }),
  )
}
