import type { Builder } from '../builder.ts'
import type { LogPage, LogPageArgs } from './log-page.ts'
import type { LogTypes } from './log-types.ts'
import type { SessionTypes } from './session-types.ts'
import type { Session } from './store.ts'

/** `Session.logs`: the log by pages, whether the session runs or has ended long ago. */
export const addLogPages = (
  builder: Builder,
  types: SessionTypes,
  { Line }: LogTypes,
  deps: { readLogPage: (session: Session, args: LogPageArgs) => Promise<LogPage>; logDownloadUrl: (session: Session) => string },
): void => {
  const Page = builder.objectRef<LogPage>('SessionLogPage').implement({
    fields: (t) => ({
      lines: t.field({ type: [Line], resolve: ({ lines }) => lines }),
      startCursor: t.exposeString('startCursor', {
        nullable: true,
        description: 'Give it as `before` to go on in front of this page. A search may have passed lines without a hit.',
      }),
      endCursor: t.exposeString('endCursor', {
        nullable: true,
        description: 'Give it as `after` to go on behind this page, also in `sessionLogs`.',
      }),
      hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
      hasNextPage: t.exposeBoolean('hasNextPage'),
    }),
  })
  builder.objectFields(types.Session, (t) => ({
    logDownloadUrl: t.string({
      nullable: true,
      description:
        'The whole log as text, for an hour, for whoever has this address: a path at the address of this graph. Asked for again, another one.',
      resolve: (session) => deps.logDownloadUrl(session),
    }),
    logs: t.field({
      type: Page,
      description:
        'From the first line with `first` (500 unless told), from the last with `last`; at most 10,000. A search that takes ' +
        'longer than 5 s answers with what it has found and where to go on.',
      args: {
        after: t.arg.string(),
        before: t.arg.string(),
        first: t.arg.int(),
        last: t.arg.int(),
        since: t.arg({ type: 'DateTime' }),
        until: t.arg({ type: 'DateTime' }),
        search: t.arg.string({ description: 'Lines that have this text in them, in whatever case of its letters.' }),
      },
      resolve: (session, args) => deps.readLogPage(session, args),
    }),
  }))
}
