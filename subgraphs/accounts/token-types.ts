import { Denied, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import { type Builder, forAnyone, forTheirAccount } from '../builder.ts'
import type { AccountTypes } from './query-types.ts'
import type { AccountsService } from './service.ts'
import type { Token } from './token-store.ts'
import type { User } from './user-store.ts'
import { whoIs } from './who.ts'

export const addTokenMutations = (builder: Builder, types: AccountTypes, service: AccountsService): void => {
  addTokens(builder, types, service.tokens)
  addLogin(builder, types, service)
}

const addTokens = (builder: Builder, { Role, Scope, ApiToken }: AccountTypes, tokens: AccountsService['tokens']): void => {
  const Input = builder.inputType('CreateTokenInput', {
    fields: (t) => ({
      name: t.string({ required: true }),
      role: t.field({ type: Role, required: true, description: 'No higher than your own.' }),
      scopes: t.field({
        type: [Scope],
        description: 'What it may be used for at most; VIEW goes with any. All that you may if left out.',
      }),
      expiresAt: t.field({ type: 'DateTime', description: 'Never if left out.' }),
      service: t.boolean({
        description: 'It belongs to no user, so that it outlives them. For ADMINs; what a token makes always is one.',
      }),
    }),
  })
  const Payload = builder.objectRef<{ token: Token; secret: string }>('CreateTokenPayload').implement({
    fields: (t) => ({
      token: t.expose('token', { type: ApiToken }),
      secret: t.exposeString('secret', { description: 'The token itself. Shown this once.' }),
    }),
  })
  builder.mutationFields((t) => ({
    createToken: t.field({
      ...forTheirAccount,
      type: Payload,
      errors: { types: [Invalid, Denied, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: (_, { input }, context) => tokens.create(input, whoIs(context)),
    }),
    revokeToken: t.field({
      ...forTheirAccount,
      type: ApiToken,
      description:
        'It counts no longer, and its WebSockets are closed within 5 s. One of your own, or any for an ADMIN. Already so is success.',
      errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => tokens.revoke(String(id), whoIs(context)),
    }),
  }))
}

const addLogin = (builder: Builder, types: AccountTypes, service: AccountsService): void => {
  const Input = builder.inputType('LoginInput', {
    fields: (t) => ({
      email: t.string({ required: true }),
      password: t.string({ required: true }),
      totpCode: t.string({ description: 'Where the account asks for one; without it the answer says so.' }),
    }),
  })
  const Payload = builder.objectRef<{ token: string; expiresAt: Date; user: User }>('LoginPayload').implement({
    fields: (t) => ({
      token: t.exposeString('token', { description: 'Send it as `Authorization: Bearer …`.' }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime' }),
      user: t.expose('user', { type: types.User }),
    }),
  })
  builder.mutationFields((t) => ({
    login: t.field({
      ...forAnyone,
      type: Payload,
      description: 'Needs no token. LIMIT_EXCEEDED after 10 attempts on an account, or 100 from an address, within 15 minutes.',
      errors: { types: [Invalid, Denied, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: (_, { input }, context) => service.login(input, whoIs(context)),
    }),
    logout: t.field({
      ...forTheirAccount,
      type: types.ApiToken,
      description: 'Ends the login that asks.',
      errors: { types: [Denied, Unavailable, OutcomeUnknown] },
      resolve: (_, __, context) => service.tokens.logout(whoIs(context)),
    }),
  }))
}
