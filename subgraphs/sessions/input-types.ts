import { Conflict, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import { type Builder, forMembers } from '../builder.ts'
import type { SessionsService } from './service.ts'

export const addSendInput = (builder: Builder, service: SessionsService) => {
  const Payload = builder.objectRef<{ sessionId: string; writtenAt: Date }>('SendInputPayload').implement({
    fields: (t) => ({
      sessionId: t.exposeID('sessionId'),
      writtenAt: t.expose('writtenAt', { type: 'DateTime', description: "When the host had written it to the game's stdin." }),
    }),
  })
  const Input = builder.inputType('SendInputInput', {
    fields: (t) => ({
      sessionId: t.id({ required: true }),
      input: t.string({ required: true, description: 'One line, at most 4 KiB.' }),
      idempotencyKey: t.string({ description: 'The same key types once.' }),
    }),
  })
  builder.mutationField('sendInput', (t) =>
    t.field({
      ...forMembers,
      type: Payload,
      description: "Types a line into a running session's console.",
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: async (_, { input }, { actor, access }) => {
        await service.requireOnSession(access, String(input.sessionId), 'CONSOLE')
        return service.sendInput(input, actor)
      },
    }),
  )
  return Payload
}

export type InputPayload = ReturnType<typeof addSendInput>
