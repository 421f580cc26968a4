import { Conflict, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import type { Builder } from '../builder.ts'
import type { ServerRef } from './schema.ts'
import type { ServersService } from './service.ts'
import type { Server as ServerRow } from './store.ts'

export const addAccess = (builder: Builder, Server: ServerRef, service: ServersService): void => {
  const Payload = builder.objectRef<{ server: ServerRow; enrollmentToken: string }>('CreateEnrollmentTokenPayload').implement({
    fields: (t) => ({
      server: t.expose('server', { type: Server }),
      enrollmentToken: t.exposeString('enrollmentToken', {
        description: 'Shown this once, good for one enrolment within the hour.',
      }),
    }),
  })
  builder.mutationField('createEnrollmentToken', (t) =>
    t.field({
      type: Payload,
      description:
        'A new token for a server that is there: who joins with it is its host from then on, with all its sessions, and who was it before is not any more. Tokens given before and not used are no longer good.',
      errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
      args: { serverId: t.arg.id({ required: true }) },
      resolve: (_, { serverId }, { actor }) => service.createEnrollmentToken(String(serverId), actor),
    }),
  )
  const field = (name: 'rotateServerCredentials' | 'revokeServerCredentials', description: string): void => {
    const change = name === 'rotateServerCredentials' ? service.rotate : service.revoke
    builder.mutationField(name, (t) =>
      t.field({
        type: Server,
        description,
        errors: { types: [NotFound, Conflict, Unavailable, OutcomeUnknown] },
        args: { id: t.arg.id({ required: true }) },
        resolve: (_, { id }, { actor }) => change(String(id), actor),
      }),
    )
  }
  field(
    'rotateServerCredentials',
    'Gives its host new credentials for the broker, without a restart. Those before are good until it has taken the new ones into use: the condition CREDENTIALS_OFFERED lasts so long. Under way already is success.',
  )
  field(
    'revokeServerCredentials',
    'Ends what its host may do at the broker, and closes its connections: for credentials that were stolen. Its games go on. `createEnrollmentToken` lets it join again. Already so is success.',
  )
}
