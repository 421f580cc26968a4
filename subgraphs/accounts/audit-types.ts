import { addConnection, type Builder, forAdmins, pageArgs } from '../builder.ts'
import { parsePage, toPage } from '../pages.ts'
import type { AuditEvent } from './audit-store.ts'
import { type AccountTypes, toViewerKind } from './query-types.ts'
import type { AccountsService } from './service.ts'

const outcomes = {
  OK: {},
  REFUSED: { description: 'Nothing was done; `code` says why.' },
  UNKNOWN: { description: 'It may have happened: no answer came, or whoever did it died, or is still at it.' },
  FAILED: { description: 'By a fault of ours.' },
} as const

export const addAudit = (builder: Builder, { Role, ViewerKind }: AccountTypes, service: AccountsService): void => {
  const Outcome = builder.enumType('AuditOutcome', { values: outcomes })
  const Event = builder.objectRef<AuditEvent>('AuditEvent').implement({
    description: 'A mutation that somebody asked for.',
    fields: (t) => ({
      id: t.exposeID('id'),
      at: t.expose('at', { type: 'DateTime' }),
      actor: t.exposeString('actor', { description: '`admin`, the id of a user or of an API token, or `anonymous`.' }),
      actorKind: t.field({
        type: ViewerKind,
        nullable: true,
        description: 'Null for a stranger.',
        resolve: ({ actorKind }) => toViewerKind(actorKind),
      }),
      userId: t.exposeString('userId', { nullable: true, description: 'The user that the token belongs to.' }),
      role: t.expose('role', { type: Role, nullable: true }),
      mutation: t.exposeString('mutation'),
      input: t.expose('input', { type: 'JSON', description: 'Its arguments, without what is secret.' }),
      address: t.exposeString('address', { nullable: true, description: 'Of the connection.' }),
      agent: t.exposeString('agent', { nullable: true, description: 'What the client says it is.' }),
      outcome: t.field({ type: Outcome, resolve: ({ outcome }) => outcome ?? 'UNKNOWN' }),
      code: t.exposeString('code', { nullable: true, description: 'Of the error that it was answered with.' }),
      endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true }),
    }),
  })
  const Events = addConnection(builder, 'AuditEvent', Event)
  const Filter = builder.inputType('AuditFilter', {
    description: 'Every given field narrows.',
    fields: (t) => ({
      actor: t.string({ description: 'That of a user finds what their API tokens did as well.' }),
      mutation: t.string(),
      outcome: t.field({ type: Outcome }),
      since: t.field({ type: 'DateTime' }),
      until: t.field({ type: 'DateTime', description: 'Before that moment.' }),
    }),
  })
  builder.queryField('auditEvents', (t) =>
    t.field({
      ...forAdmins,
      type: Events,
      description: 'Who did what, the oldest first; `last: 10` gives the newest ten.',
      args: { ...pageArgs(t), filter: t.arg({ type: Filter }) },
      resolve: async (_, { filter, ...args }) => {
        const page = parsePage(args)
        return toPage(await service.auditEvents(page, filter ?? {}), page, ({ id }) => id)
      },
    }),
  )
}
