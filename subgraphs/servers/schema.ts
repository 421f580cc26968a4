import type { GraphQLSchema } from 'graphql'
import { Conflict, Denied, Invalid, NotFound, OutcomeUnknown, Unavailable } from '../../lib/domain/errors.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import {
  addConnection,
  addDeletePayload,
  type Builder,
  forAnyone,
  forMembers,
  forOperators,
  makeBuilder,
  pageArgs,
  toSubgraphSchema,
} from '../builder.ts'
import { makeLoader } from '../context.ts'
import { parsePage, toPage } from '../pages.ts'
import type { BrokerAccess } from './access.ts'
import { addAccess } from './access-types.ts'
import { accessConditions } from './conditions.ts'
import type { ServersService } from './service.ts'
import { type Server, serverStatuses } from './store.ts'

export interface ServersSchemaDeps {
  service: ServersService
  /** A server each time its row has changed, if it may be seen then: the named one, first as it is; or any. */
  changed: (serverId: string | null, access: Access) => AsyncIterable<Server>
}

export const makeServersSchema = ({ service, changed }: ServersSchemaDeps): GraphQLSchema => {
  const builder = makeBuilder({ errors: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown, Denied] })
  const Server = addServer(builder)
  const serverById = makeLoader((ids: readonly string[], { access }) => service.byIds(ids, access))
  builder.asEntity(Server, {
    key: builder.selection<{ id: string }>('id'),
    resolveReference: ({ id }, context) => serverById(context, id),
  })

  const Servers = addConnection(builder, 'Server', Server)
  builder.queryField('servers', (t) =>
    t.field({
      ...forMembers,
      type: Servers,
      description: 'Machines of the fleet, the oldest first; without deleted ones.',
      args: pageArgs(t),
      resolve: async (_, args, { access }) => {
        const page = parsePage(args)
        return toPage(await service.list(page, access), page, (server) => server.id)
      },
    }),
  )
  builder.queryField('server', (t) =>
    t.field({
      ...forMembers,
      type: Server,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_, { id }, context) => serverById(context, String(id)),
    }),
  )

  builder.mutationType({})
  addRegisterServer(builder, Server, service)
  addEnrollServer(builder, service)
  addDraining(builder, Server, service)
  addChanges(builder, Server, service)
  addAccess(builder, Server, service)

  builder.subscriptionType({})
  builder.subscriptionField('serverChanged', (t) =>
    t.field({
      ...forMembers,
      type: Server,
      description: 'A server whenever its row changes. With `serverId` that one, and at once as it is now.',
      args: { serverId: t.arg.id() },
      subscribe: async (_, { serverId }, { access }) => {
        if (serverId == null) return changed(null, access)
        return changed((await service.find(String(serverId), access)).id, access)
      },
      resolve: (server) => server,
    }),
  )
  return toSubgraphSchema(builder)
}

const addServer = (builder: Builder) => {
  const Status = builder.enumType('ServerStatus', { values: serverStatuses })
  const Capacity = builder.objectRef<NonNullable<Server['capacity']>>('ServerCapacity').implement({
    fields: (t) => ({
      cpus: t.exposeFloat('cpus'),
      memoryBytes: t.expose('memoryBytes', { type: 'SafeInt' }),
      diskFreeBytes: t.expose('diskFreeBytes', { type: 'SafeInt', nullable: true }),
      dockerVersion: t.exposeString('dockerVersion'),
    }),
  })
  const Condition = builder.objectRef<Server['conditions'][number]>('ServerCondition').implement({
    fields: (t) => ({
      kind: t.exposeString('kind'),
      message: t.exposeString('message'),
      since: t.field({ type: 'DateTime', resolve: ({ since }) => new Date(since) }),
    }),
  })
  return builder.objectRef<Server>('Server').implement({
    description: 'A physical or virtual machine in the fleet that runs games.',
    fields: (t) => ({
      id: t.exposeID('id'),
      name: t.exposeString('name'),
      environment: t.exposeString('environment'),
      status: t.expose('status', {
        type: Status,
        description: 'By its heartbeat: STALE after 10 s without, OFFLINE after 30 s.',
      }),
      draining: t.exposeBoolean('draining', { description: 'Takes no new sessions.' }),
      lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', nullable: true }),
      createdAt: t.expose('createdAt', { type: 'DateTime' }),
      labels: t.expose('labels', { type: 'JSON' }),
      agentVersion: t.exposeString('agentVersion', { nullable: true }),
      publicAddress: t.exposeString('publicAddress', { nullable: true, description: 'Where players reach it.' }),
      portRange: t.string({
        description: 'Host ports handed out to deployments that name none, as `20000-29999`.',
        resolve: ({ firstPort, lastPort }) => `${firstPort}-${lastPort}`,
      }),
      capacity: t.expose('capacity', { type: Capacity, nullable: true, description: 'Null until its host was heard once.' }),
      conditions: t.field({
        type: [Condition],
        description: 'What is wrong with the machine, or with what its host may do, now.',
        resolve: (server) => [...server.conditions, ...accessConditions(server)],
      }),
      deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true }),
    }),
  })
}

export type ServerRef = ReturnType<typeof addServer>

const addRegisterServer = (builder: Builder, Server: ServerRef, service: ServersService): void => {
  const Payload = builder.objectRef<{ server: Server; enrollmentToken: string }>('RegisterServerPayload').implement({
    fields: (t) => ({
      server: t.expose('server', { type: Server }),
      enrollmentToken: t.exposeString('enrollmentToken', {
        description: 'Shown this once. Good for one enrolment within the hour: `manman host --join URL --token T`.',
      }),
    }),
  })
  const Input = builder.inputType('RegisterServerInput', {
    fields: (t) => ({
      name: t.string({ required: true }),
      environment: t.string(),
      labels: t.field({ type: 'JSON', description: 'An object of texts.' }),
      publicAddress: t.string({ description: 'Host name or IP address that players connect to.' }),
      portRange: t.string({ description: 'Host ports to hand out, as `20000-29999` (the default).' }),
    }),
  })
  builder.mutationField('registerServer', (t) =>
    t.field({
      type: Payload,
      description: 'Adds a machine to the fleet. It comes ONLINE once its host has enrolled.',
      errors: { types: [Invalid, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: (_, { input }, { actor }) => service.register(input, actor),
    }),
  )
}

const addDraining = (builder: Builder, Server: ServerRef, service: ServersService): void => {
  const field = (name: 'drainServer' | 'undrainServer', draining: boolean, description: string): void => {
    builder.mutationField(name, (t) =>
      t.field({
        ...forOperators,
        type: Server,
        description,
        errors: { types: [NotFound, Unavailable, OutcomeUnknown] },
        args: { id: t.arg.id({ required: true }) },
        resolve: (_, { id }, { actor }) => service.setDraining(String(id), draining, actor),
      }),
    )
  }
  field('drainServer', true, 'It takes no new sessions from now on; those that run go on. Already so is success.')
  field('undrainServer', false, 'It takes sessions again. Already so is success.')
}

const addChanges = (builder: Builder, Server: ServerRef, service: ServersService): void => {
  const Input = builder.inputType('UpdateServerInput', {
    description: 'What is left out stays as it is; null takes the default.',
    fields: (t) => ({
      name: t.string(),
      labels: t.field({ type: 'JSON', description: 'An object of texts.' }),
      publicAddress: t.string(),
      portRange: t.string({ description: 'For ports given out from now on; those held outside stay.' }),
    }),
  })
  builder.mutationField('updateServer', (t) =>
    t.field({
      type: Server,
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }), input: t.arg({ type: Input, required: true }) },
      resolve: (_, { id, input }, { actor }) => service.update(String(id), input, actor),
    }),
  )
  builder.mutationField('deleteServer', (t) =>
    t.field({
      type: addDeletePayload(builder),
      description:
        'Refused while it has deployments or live sessions, unless forced: then they are deleted and abandoned. Its host ends all games it still has, and itself, when it hears of it. Already so is success.',
      errors: { types: [NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }), force: t.arg.boolean() },
      resolve: (_, { id, force }, { actor }) => service.remove(String(id), force ?? false, actor),
    }),
  )
}

const addEnrollServer = (builder: Builder, service: ServersService): void => {
  const Payload = builder.objectRef<{ serverId: string } & BrokerAccess>('EnrollServerPayload').implement({
    fields: (t) => ({
      serverId: t.exposeID('serverId'),
      amqpUrl: t.exposeString('amqpUrl', { description: 'Without credentials.' }),
      username: t.exposeString('username'),
      password: t.exposeString('password'),
    }),
  })
  const Input = builder.inputType('EnrollServerInput', {
    fields: (t) => ({
      token: t.string({ required: true }),
      publicKey: t.string({ required: true }),
      machineId: t.string({ required: true }),
      serverId: t.id({ description: 'Who it is already, where it joins again: a token for another server is not spent.' }),
    }),
  })
  builder.mutationField('enrollServer', (t) =>
    t.field({
      ...forAnyone,
      type: Payload,
      description: "Spends an enrollment token: the caller becomes its server's host. Needs no other credentials.",
      errors: { types: [Invalid, Denied, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Input, required: true }) },
      resolve: (_, { input }, { actor }) =>
        service.enroll({ ...input, serverId: input.serverId == null ? null : String(input.serverId) }, actor),
    }),
  )
}
