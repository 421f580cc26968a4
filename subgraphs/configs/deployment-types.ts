import { PortTaken, type TakenPort } from '../../lib/domain/errors.ts'
import { connectAddress, type PortBinding } from '../../lib/domain/ports.ts'
import type { RestartPolicy } from '../../lib/domain/restart-policy.ts'
import type { DeploymentLink } from '../../lib/messages/session-spec.ts'
import { mergeActions } from '../../lib/parameters/actions.ts'
import type { Builder } from '../builder.ts'
import { addParameterValue } from '../parameter-value.ts'
import type { ActionTypes } from './action-types.ts'
import { shownValues } from './deployment-values.ts'
import type { PartInputs } from './game-config-input-types.ts'
import type { GameConfigParts } from './game-config-part-types.ts'
import type { Enums } from './game-config-types.ts'
import { type Loaders, must, type Refs } from './types.ts'

/** What an open operation shows as. */
const statusOf = {
  SESSION: 'ACTIVE',
  DELETE: 'ACTIVE',
  INSTALL: 'INSTALLING',
  RESTORE: 'RESTORING',
  TRANSFER: 'TRANSFERRING',
} as const

export const addDeployment = (
  builder: Builder,
  refs: Refs,
  loaders: Loaders,
  enums: Enums,
  parts: GameConfigParts,
  { Action }: ActionTypes,
) => {
  const Value = addParameterValue(builder)
  const Status = builder.enumType('DeploymentStatus', {
    description:
      'ACTIVE can be started; INSTALLING has its install step done, RESTORING a backup put back, TRANSFERRING moves to ' +
      'another machine; INACTIVE was deleted and is history. Whether it runs, `activeSession` says.',
    values: ['ACTIVE', 'INACTIVE', 'INSTALLING', 'RESTORING', 'TRANSFERRING'] as const,
  })
  const Binding = builder.objectRef<PortBinding>('PortBinding').implement({
    fields: (t) => ({
      name: t.exposeString('name'),
      containerPort: t.exposeInt('containerPort'),
      hostPort: t.exposeInt('hostPort'),
      protocol: t.expose('protocol', { type: enums.Protocol }),
      bindAddress: t.exposeString('bindAddress'),
    }),
  })
  const Policy = builder.objectRef<RestartPolicy>('RestartPolicy').implement({
    description: 'When a session that ended unasked is started again. Its host decides, also without the control plane.',
    fields: (t) => ({
      mode: t.expose('mode', { type: enums.RestartMode }),
      maxRetries: t.exposeInt('maxRetries', { description: 'For ON_FAILURE.' }),
      windowSeconds: t.exposeInt('windowSeconds'),
    }),
  })
  const Link = builder.objectRef<DeploymentLink>('DeploymentLink').implement({
    description: 'A deployment of the same server whose running container is reached by a name.',
    fields: (t) => ({
      alias: t.exposeString('alias'),
      deployment: t.field({
        type: refs.Deployment,
        nullable: true,
        description: 'Null for who may not see it.',
        resolve: ({ serverGameConfigId }, _, context) => loaders.deployment(context, serverGameConfigId),
      }),
    }),
  })
  refs.Deployment.implement({
    description: 'A deployment: a game config placed on one server, with its own ports.',
    fields: (t) => ({
      id: t.exposeID('id'),
      name: t.exposeString('name'),
      status: t.field({
        type: Status,
        resolve: async ({ id, deletedAt }, _, context) => {
          if (deletedAt) return 'INACTIVE'
          return statusOf[(await loaders.operation(context, id)) ?? 'SESSION']
        },
      }),
      server: t.field({ type: refs.Server, nullable: true, resolve: ({ serverId }) => ({ id: serverId }) }),
      gameConfig: t.field({
        type: refs.GameConfig,
        resolve: ({ gameConfigId }, _, context) => must(loaders.gameConfig(context, gameConfigId)),
      }),
      connectAddress: t.string({
        nullable: true,
        description: 'What a player types to join: its port `game`, or else its first. Null without a known address.',
        resolve: async ({ id, serverId }, _, context) => {
          const [bindings, address] = await Promise.all([loaders.bindings(context, id), loaders.publicAddress(context, serverId)])
          return connectAddress(address, bindings ?? [])
        },
      }),
      portBindings: t.field({
        type: [Binding],
        description: 'In the order in which the config declares them; none once it was deleted.',
        resolve: async ({ id }, _, context) => (await loaders.bindings(context, id)) ?? [],
      }),
      restartPolicy: t.expose('restartPolicy', { type: Policy }),
      parameters: t.field({
        type: [Value],
        description: 'What each parameter of the config has here, before anything is given for one session alone.',
        resolve: async (deployment, _, context) => {
          const config = await must(loaders.gameConfig(context, deployment.gameConfigId))
          return shownValues(deployment, config.parameters)
        },
      }),
      actions: t.field({
        type: [Action],
        description: 'What can be run here: of its game, its config and its own; of those with one name the last.',
        resolve: async (deployment, _, context) => {
          const config = await must(loaders.gameConfig(context, deployment.gameConfigId))
          const game = await must(loaders.game(context, config.gameId))
          return mergeActions(game.actions, config.actions, deployment.actions)
        },
      }),
      resources: t.expose('resources', {
        type: parts.Resources,
        nullable: true,
        description: 'Limits of its own; null, and what is null in it, is as the config says.',
      }),
      links: t.expose('links', {
        type: [Link],
        description: 'What its game reaches by name, on the ports inside that container; from its next session on.',
      }),
      startPriority: t.exposeInt('startPriority', { description: 'After a reboot of the machine the lowest start first.' }),
      deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true }),
    }),
  })
  return { Binding, Value }
}

export type DeploymentParts = ReturnType<typeof addDeployment>

export const addServerPort = (refs: Refs, loaders: Loaders, enums: Enums): void => {
  refs.ServerPort.implement({
    description: 'A port of a server, held by one deployment.',
    fields: (t) => ({
      port: t.exposeInt('port'),
      protocol: t.expose('protocol', { type: enums.Protocol }),
      deployment: t.field({
        type: refs.Deployment,
        resolve: ({ serverGameConfigId }, _, context) => must(loaders.deployment(context, serverGameConfigId)),
      }),
      allocatedAt: t.expose('allocatedAt', { type: 'DateTime' }),
    }),
  })
}

export const addPortConflictError = (builder: Builder, refs: Refs, loaders: Loaders, enums: Enums): void => {
  const Conflict = builder.objectRef<TakenPort>('PortConflict').implement({
    fields: (t) => ({
      port: t.exposeInt('port'),
      protocol: t.expose('protocol', { type: enums.Protocol }),
      deployment: t.field({
        type: refs.Deployment,
        nullable: true,
        description: 'Who holds it.',
        resolve: ({ serverGameConfigId }, _, context) =>
          serverGameConfigId === null ? null : loaders.deployment(context, serverGameConfigId),
      }),
    }),
  })
  builder.objectType(PortTaken, {
    name: 'PortConflictError',
    interfaces: ['Error'],
    description: 'Ports asked for are held by other deployments; nothing was changed.',
    fields: (t) => ({ conflicts: t.field({ type: [Conflict], resolve: ({ taken }) => [...taken] }) }),
  })
}

export const addDeploymentInputs = (builder: Builder, enums: Enums, parts: PartInputs, actions: ActionTypes) => {
  const Policy = builder.inputType('RestartPolicyInput', {
    fields: (t) => ({
      mode: t.field({ type: enums.RestartMode, required: true }),
      maxRetries: t.int({ description: '5 unless told.' }),
      windowSeconds: t.int({ description: '600 unless told.' }),
    }),
  })
  const Binding = builder.inputType('PortBindingInput', {
    fields: (t) => ({
      name: t.string({ required: true, description: 'Of a port that the config declares.' }),
      hostPort: t.int({ description: "Picked from the server's range unless told." }),
      bindAddress: t.string({ description: 'One address of the machine; 0.0.0.0, all of them, unless told.' }),
    }),
  })
  const Link = builder.inputType('DeploymentLinkInput', {
    fields: (t) => ({
      alias: t.string({ required: true, description: 'A DNS label: lower-case letters, digits and -.' }),
      serverGameConfigId: t.id({ required: true, description: 'Of the same server.' }),
    }),
  })
  return {
    Create: builder.inputType('DeployGameConfigInput', {
      fields: (t) => ({
        serverId: t.id({ required: true }),
        gameConfigId: t.id({ required: true }),
        name: t.string({ description: "The config's own unless told, with a number where the server has one of that name." }),
        portBindings: t.field({ type: [Binding], description: 'For ports left out, the platform picks.' }),
        restartPolicy: t.field({ type: Policy, description: 'ON_FAILURE unless told.' }),
        startPriority: t.int({ description: '100 unless told; from 0 to 1000.' }),
        parameters: t.field({ type: 'JSON', description: 'An object of values by name.' }),
        resources: t.field({ type: parts.Resources, description: 'Instead of what the config says.' }),
        actions: t.field({ type: [actions.Input], description: 'Beside those of its config and game.' }),
        links: t.field({ type: [Link], description: 'At most 32.' }),
      }),
    }),
    Update: builder.inputType('UpdateServerGameConfigInput', {
      description: 'What is left out stays as it is; null takes the default.',
      fields: (t) => ({
        name: t.string(),
        portBindings: t.field({ type: [Binding], description: 'Ports left out keep what they have.' }),
        restartPolicy: t.field({ type: Policy }),
        startPriority: t.int({ description: 'From 0 to 1000.' }),
        parameters: t.field({ type: 'JSON', description: 'Values by name; those left out stay, null takes one back.' }),
        resources: t.field({ type: parts.Resources }),
        actions: t.field({ type: [actions.Input], description: 'All of its own.' }),
        links: t.field({ type: [Link], description: 'All of them.' }),
      }),
    }),
  }
}

export type DeploymentInputs = ReturnType<typeof addDeploymentInputs>
