import { Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import { addConnection, type Builder, pageArgs } from '../builder.ts'
import { parsePage, toPage } from '../pages.ts'
import type { RegistryService } from './registry-service.ts'
import type { RegistryCredential } from './registry-store.ts'

/** Type, list and mutations of registry credentials; the mutation type is there already. */
export const addRegistryCredentials = (builder: Builder, service: RegistryService): void => {
  const Credential = builder.objectRef<RegistryCredential>('RegistryCredential').implement({
    description: 'A login at a private registry. Its password is never shown.',
    fields: (t) => ({
      id: t.exposeID('id'),
      host: t.exposeString('host', {
        description: 'As images name it: ghcr.io, registry.example:5000; docker.io for those that name none.',
      }),
      username: t.exposeString('username'),
      updatedAt: t.expose('updatedAt', { type: 'DateTime' }),
    }),
  })
  const Credentials = addConnection(builder, 'RegistryCredential', Credential)
  const Input = builder.inputType('SetRegistryCredentialInput', {
    fields: (t) => ({
      host: t.string({ required: true, description: 'The registry, as images or `docker login` name it.' }),
      username: t.string({ required: true }),
      password: t.string({ required: true, description: 'Or a token. Kept encrypted, and opened only by the host that pulls.' }),
    }),
  })
  builder.queryField('registryCredentials', (t) =>
    t.field({
      type: Credentials,
      args: pageArgs(t),
      resolve: async (_, args) => {
        const page = parsePage(args)
        return toPage(await service.list(page), page, ({ id }) => id)
      },
    }),
  )
  builder.mutationFields((t) => ({
    setRegistryCredential: t.field({
      type: Credential,
      description: 'Replaces the login of this registry. Sessions that start from now on pull with it.',
      errors: { types: [Invalid, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: (_, { input }, { actor }) => service.set(input, actor),
    }),
    deleteRegistryCredential: t.field({
      type: Credential,
      description: 'Answers what was deleted.',
      errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
      args: { host: t.arg.string({ required: true }) },
      resolve: (_, { host }) => service.delete(host),
    }),
  }))
}
