import { Conflict, Denied, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import { type Builder, forTheirAccount } from '../builder.ts'
import type { AccountTypes } from './query-types.ts'
import type { AccountsService } from './service.ts'
import { whoIs } from './who.ts'

/** Users, made and changed by ADMINs; passwords and codes, by whom they belong to. */
export const addUserMutations = (builder: Builder, { Role, User, Deleted }: AccountTypes, { users }: AccountsService): void => {
  const Create = builder.inputType('CreateUserInput', {
    fields: (t) => ({
      email: t.string({ required: true }),
      name: t.string({ required: true }),
      role: t.field({ type: Role, required: true }),
      password: t.string({ description: 'At least 12 characters. Without one nobody can log in as them yet.' }),
    }),
  })
  const Update = builder.inputType('UpdateUserInput', {
    description: 'What is left out, or null, stays as it is.',
    fields: (t) => ({ email: t.string(), name: t.string(), role: t.field({ type: Role }) }),
  })
  builder.mutationFields((t) => ({
    createUser: t.field({
      type: User,
      errors: { types: [Invalid, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Create, required: true }) },
      resolve: (_, { input }, context) => users.create(input, whoIs(context)),
    }),
    updateUser: t.field({
      type: User,
      description: 'Another role counts at once: open WebSockets of theirs are closed within 5 s.',
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }), input: t.arg({ type: Update, required: true }) },
      resolve: (_, { id, input }, context) => users.update(String(id), input, whoIs(context)),
    }),
    deleteUser: t.field({
      type: Deleted,
      description: 'Their tokens count no longer, and their WebSockets are closed within 5 s. Already so is success.',
      errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => users.remove(String(id), whoIs(context)),
    }),
  }))
  addProofs(builder, User, users)
}

const addProofs = (builder: Builder, User: AccountTypes['User'], users: AccountsService['users']): void => {
  const SetPassword = builder.inputType('SetPasswordInput', {
    fields: (t) => ({
      userId: t.id({ description: 'Whose; your own if left out. That of others an ADMIN sets.' }),
      currentPassword: t.string({ description: 'Needed for your own.' }),
      newPassword: t.string({ required: true, description: 'At least 12 characters.' }),
    }),
  })
  const DisableTotp = builder.inputType('DisableTotpInput', {
    fields: (t) => ({
      userId: t.id({ description: 'Whose; your own if left out. Those of others an ADMIN disables.' }),
      password: t.string({ description: 'Needed for your own.' }),
    }),
  })
  const Payload = builder.objectRef<{ secret: string; uri: string }>('EnableTotpPayload').implement({
    fields: (t) => ({
      secret: t.exposeString('secret', { description: 'To be typed into an authenticator app. Shown this once.' }),
      uri: t.exposeString('uri', { description: 'The same as a QR code has it.' }),
    }),
  })
  const types = [Invalid, NotFound, Denied, Conflict, Unavailable, OutcomeUnknown]
  builder.mutationFields((t) => ({
    setPassword: t.field({
      ...forTheirAccount,
      type: User,
      description: 'Ends all their other logins.',
      errors: { types },
      args: { input: t.arg({ type: SetPassword, required: true }) },
      resolve: (_, { input }, context) => users.setPassword(input, whoIs(context)),
    }),
    enableTotp: t.field({
      ...forTheirAccount,
      type: Payload,
      description: 'A secret for codes. Logins ask for them once `confirmTotp` has seen one.',
      errors: { types: [Denied, Conflict, Unavailable, OutcomeUnknown] },
      args: { password: t.arg.string({ required: true }) },
      resolve: (_, { password }, context) => users.enableTotp(password, whoIs(context)),
    }),
    confirmTotp: t.field({
      ...forTheirAccount,
      type: User,
      errors: { types: [Invalid, Denied, Conflict, Unavailable, OutcomeUnknown] },
      args: { code: t.arg.string({ required: true }) },
      resolve: (_, { code }, context) => users.confirmTotp(code, whoIs(context)),
    }),
    disableTotp: t.field({
      ...forTheirAccount,
      type: User,
      description: 'Already so is success.',
      errors: { types },
      args: { input: t.arg({ type: DisableTotp, required: true }) },
      resolve: (_, { input }, context) => users.disableTotp(input, whoIs(context)),
    }),
  }))
}
