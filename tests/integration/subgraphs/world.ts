import { sql } from 'kysely'
import { closeOperation } from '../../../lib/db/operations.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { isUuid } from '../../../lib/domain/ids.ts'
import { keys } from '../../../lib/messages/routing.ts'
import { announce } from '../../support/announce.ts'
import type { Answer, Stage } from './stage.ts'

let nameCount = 0
const newName = (what: string): string => `${what} ${++nameCount}`

/** Things that most tests need first. */
export const makeWorld = (stage: Stage) => {
  const ok = <T extends { id?: string; __typename?: string }>(thing: T): T => {
    if (thing.id === undefined || !isUuid(thing.id)) throw new Error(JSON.stringify(thing))
    return thing
  }
  const world = {
    server: async (input: object = {}): Promise<string> => {
      const { registerServer } = await stage.run(
        'servers',
        `mutation ($input: RegisterServerInput!) { registerServer(input: $input) {
          __typename ... on RegisterServerPayload { server { id } } ... on Error { message } } }`,
        { input: { name: newName('server'), publicAddress: 'play.example', ...input } },
      )
      return ok(registerServer.server).id
    },
    setServer: (id: string, set: { status?: string; draining?: boolean }) =>
      stage.db.updateTable('servers.servers').set(set).where('id', '=', id).execute(),
    /** What the relay would publish. */
    announceServer: (serverId: string) => world.announce(keys.changedServer(serverId), { kind: 'changed.server', serverId }),
    announceSession: (sessionId: string, serverId: string, serverGameConfigId: string) =>
      world.announce(keys.changedSession(serverId, sessionId), {
        kind: 'changed.session',
        sessionId,
        serverGameConfigId,
        serverId,
      }),
    announce: (routingKey: string, body: object): Promise<void> => announce(stage.rabbit, routingKey, body),
    game: async (): Promise<string> => {
      const { createGame } = await stage.run(
        'configs',
        'mutation ($input: CreateGameInput!) { createGame(input: $input) { ... on Game { id } ... on Error { message } } }',
        { input: { name: newName('game') } },
      )
      return ok(createGame).id
    },
    config: async (input: object = {}): Promise<string> => {
      const { createGameConfig } = await stage.run(
        'configs',
        `mutation ($input: CreateGameConfigInput!) { createGameConfig(input: $input) {
          ... on GameConfig { id } ... on Error { message } } }`,
        { input: { gameId: await world.game(), name: newName('config'), image: 'game:1', ...input } },
      )
      return ok(createGameConfig).id
    },
    deploy: async (input: object): Promise<Answer> => {
      const { deployGameConfig } = await stage.run(
        'configs',
        `mutation ($input: DeployGameConfigInput!) { deployGameConfig(input: $input) {
          __typename
          ... on ServerGameConfig { id name status connectAddress portBindings { name hostPort containerPort protocol bindAddress } }
          ... on Error { code message }
          ... on InvalidInputError { issues { path message } }
          ... on PortConflictError { conflicts { port protocol deployment { id name } } } } }`,
        { input: { name: newName('deployment'), ...input } },
      )
      return deployGameConfig
    },
    /** A deployment on a server that counts as ONLINE. */
    deployment: async (config: object = {}): Promise<{ id: string; serverId: string }> => {
      const serverId = await world.server()
      await world.setServer(serverId, { status: 'ONLINE' })
      const { id } = ok(await world.deploy({ serverId, gameConfigId: await world.config(config) }))
      return { id, serverId }
    },
    start: async (input: object): Promise<Answer> => {
      const { startSession } = await stage.run(
        'sessions',
        `mutation ($input: StartSessionInput!) { startSession(input: $input) {
          __typename ... on Session { id status spec } ... on Error { code message } } }`,
        { input },
      )
      return startSession
    },
    /** A session as its host would have reported it. */
    session: async (set: object = {}, config: object = {}): Promise<{ id: string; serverId: string; deploymentId: string }> => {
      const { id: deploymentId, serverId } = await world.deployment(config)
      const { id } = ok(await world.start({ serverGameConfigId: deploymentId }))
      await world.setSession(id, set)
      return { id, serverId, deploymentId }
    },
    /** As the processor does on the last report. */
    endSession: async (id: string, logLastSeq: number | null = null): Promise<void> => {
      await stage.db
        .updateTable('sessions.sessions')
        .set({ status: 'STOPPED', ended_at: new Date(), exit_code: 0, end_reason: 'REQUESTED', log_last_seq: logLastSeq })
        .set({ revision: sql`revision + 1` })
        .where('id', '=', id)
        .execute()
      await inTransaction(stage.db, (tx) => closeOperation(tx, id, new Date()))
    },
    setSession: async (id: string, set: object): Promise<void> => {
      if (Object.keys(set).length > 0) await stage.db.updateTable('sessions.sessions').set(set).where('id', '=', id).execute()
    },
  }
  return world
}
