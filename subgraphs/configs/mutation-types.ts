import { Conflict, Invalid, NotFound, OutcomeUnknown, PortTaken, Unavailable } from '../../lib/domain/errors.ts'
import { addDeletePayload, type Builder, forMembers, forOperators } from '../builder.ts'
import type { SaveHookTypes } from '../save-hooks.ts'
import type { ActionTypes } from './action-types.ts'
import { addDeploymentInputs } from './deployment-types.ts'
import { addGameConfigInputs, addPartInputs } from './game-config-input-types.ts'
import type { Enums } from './game-config-types.ts'
import type { ConfigsService } from './service.ts'
import type { Refs } from './types.ts'

type Delete = (id: string, actor: string) => Promise<{ id: string }>

export const addMutations = (
  builder: Builder,
  refs: Refs,
  enums: Enums,
  { actions, hooks }: { actions: ActionTypes; hooks: SaveHookTypes },
  service: ConfigsService,
) => {
  addGames(builder, refs, actions, service)
  const parts = addPartInputs(builder, enums, hooks)
  addGameConfigs(builder, refs, addGameConfigInputs(builder, enums, parts, actions), service)
  const deploymentInputs = addDeploymentInputs(builder, enums, parts, actions)
  addDeployments(builder, refs, deploymentInputs, service)
  const Payload = addDeletePayload(builder)
  const addDelete = (name: string, description: string, remove: Delete): void => {
    builder.mutationField(name, (t) =>
      t.field({
        ...forOperators,
        type: Payload,
        description: `${description} Already so is success.`,
        errors: { types: [NotFound, Conflict, Unavailable, OutcomeUnknown] },
        args: { id: t.arg.id({ required: true }) },
        resolve: (_, { id }, { actor }) => remove(String(id), actor),
      }),
    )
  }
  addDelete('deleteGame', 'Refused while it has configs.', service.deleteGame)
  addDelete('deleteGameConfig', 'Refused while it is deployed.', service.deleteGameConfig)
  addDelete(
    'deleteServerGameConfig',
    'Frees its ports. Refused while a session lives, or another deployment has a link to it.',
    service.deleteDeployment,
  )
  return deploymentInputs
}

const addGames = (builder: Builder, refs: Refs, actions: ActionTypes, service: ConfigsService): void => {
  const metadata = 'An object, kept as it is.'
  const Create = builder.inputType('CreateGameInput', {
    fields: (t) => ({
      name: t.string({ required: true }),
      steamAppId: t.int(),
      metadata: t.field({ type: 'JSON', description: metadata }),
      actions: t.field({ type: [actions.Input], description: 'For all its configs.' }),
    }),
  })
  const Update = builder.inputType('UpdateGameInput', {
    description: 'What is left out stays as it is.',
    fields: (t) => ({
      name: t.string(),
      steamAppId: t.int(),
      metadata: t.field({ type: 'JSON', description: metadata }),
      actions: t.field({ type: [actions.Input] }),
    }),
  })
  builder.mutationFields((t) => ({
    createGame: t.field({
      ...forOperators,
      type: refs.Game,
      errors: { types: [Invalid, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Create, required: true }) },
      resolve: (_, { input }, { actor }) => service.createGame(input, actor),
    }),
    updateGame: t.field({
      ...forMembers,
      type: refs.Game,
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }), input: t.arg({ type: Update, required: true }) },
      resolve: (_, { id, input }, context) => service.updateGame(String(id), input, context),
    }),
  }))
}

const addGameConfigs = (
  builder: Builder,
  refs: Refs,
  { Create, Update }: ReturnType<typeof addGameConfigInputs>,
  service: ConfigsService,
): void => {
  builder.mutationFields((t) => ({
    createGameConfig: t.field({
      ...forOperators,
      type: refs.GameConfig,
      description: 'Refused with every fault at once.',
      errors: { types: [Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Create, required: true }) },
      resolve: (_, { input }, { actor }) => service.createGameConfig(input, actor),
    }),
    updateGameConfig: t.field({
      ...forMembers,
      type: refs.GameConfig,
      description:
        'Counts for sessions that start from now on; a changed stop procedure also for those that live. Deployments get added ports at once.',
      errors: { types: [Invalid, NotFound, PortTaken, Conflict, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }), input: t.arg({ type: Update, required: true }) },
      resolve: (_, { id, input }, context) => service.updateGameConfig(String(id), input, context),
    }),
  }))
}

const addDeployments = (
  builder: Builder,
  refs: Refs,
  { Create, Update }: ReturnType<typeof addDeploymentInputs>,
  service: ConfigsService,
): void => {
  builder.mutationFields((t) => ({
    deployGameConfig: t.field({
      ...forOperators,
      type: refs.Deployment,
      description: 'Places a config on a server, with all its ports or not at all.',
      errors: { types: [Invalid, NotFound, PortTaken, Conflict, Unavailable, OutcomeUnknown] },
      args: { input: t.arg({ type: Create, required: true }) },
      resolve: (_, { input }, { actor }) => service.deploy(input, actor),
    }),
    updateServerGameConfig: t.field({
      ...forMembers,
      type: refs.Deployment,
      description:
        'Ports count from the next session on; what a live one binds stays held until its container is gone. A changed restart policy counts at once.',
      errors: { types: [Invalid, NotFound, PortTaken, Conflict, Unavailable, OutcomeUnknown] },
      args: { id: t.arg.id({ required: true }), input: t.arg({ type: Update, required: true }) },
      resolve: (_, { id, input }, context) => service.updateDeployment(String(id), input, context),
    }),
  }))
}
