import { eventually } from './eventually.ts'
import type { CreateGameConfigInput, DeployGameConfigInput, RestartPolicyInput, SessionStatus } from './generated/graphql.ts'
import { followLogs, type LogFollower } from './log-follower.ts'
import { ok } from './ok.ts'
import * as operations from './operations.ts'
import type { Stack } from './stack.ts'

type Config = Omit<CreateGameConfigInput, 'gameId' | 'name'>

let names = 0

type Deploying = Pick<Stack, 'client' | 'serverId'>

/** A game, and its config, as one would write it by hand. */
export const addConfig = async (stack: Deploying, config: Config) => {
  const name = `game ${++names}`
  const { createGame } = await stack.client.run(operations.createGame, { input: { name } })
  const gameId = ok(createGame, 'Game').id
  const { createGameConfig } = await stack.client.run(operations.createGameConfig, { input: { gameId, name, ...config } })
  return { gameId, gameConfigId: ok(createGameConfig, 'GameConfig').id }
}

/** A deployment on the stack's machine; ports are picked unless `hostPorts` gives them by name. */
export const deployConfig = async (
  stack: Deploying,
  gameConfigId: string,
  {
    hostPorts = {},
    ...more
  }: Pick<DeployGameConfigInput, 'parameters' | 'restartPolicy'> & { hostPorts?: Record<string, number> },
) => {
  const portBindings = Object.entries(hostPorts).map(([name, hostPort]) => ({ name, hostPort }))
  const input = { serverId: stack.serverId, gameConfigId, portBindings, ...more }
  const { deployGameConfig } = await stack.client.run(operations.deployGameConfig, { input })
  return ok(deployGameConfig, 'ServerGameConfig')
}

/** Game, config and deployment for `config`. A crash is not restarted. */
export const deploy = async (
  stack: Deploying,
  config: Config,
  hostPorts: Record<string, number> = {},
  restartPolicy: RestartPolicyInput = { mode: 'NEVER' },
) => {
  const ids = await addConfig(stack, config)
  return { ...(await deployConfig(stack, ids.gameConfigId, { hostPorts, restartPolicy })), ...ids }
}

/** A session as its player and its operator see it: everything goes through the gateway. */
export interface Play {
  id: string
  logs: LogFollower
  /** Every status seen by `sessionChanged`, in order. */
  statuses: SessionStatus[]
  /** Waits until `sessionChanged` has shown that status. */
  until(status: SessionStatus, limitMs?: number): Promise<void>
  /** Types a line; resolves when the host has written it. */
  type(input: string): Promise<void>
  /** Runs an action of that name, with values for its inputs. */
  act(name: string, values?: Record<string, unknown>): Promise<void>
  /** Waits until players can join. */
  ready(limitMs?: number): Promise<void>
  stop(): Promise<void>
  kill(): Promise<void>
  /** Waits for the end of session and log; answers the session's row. */
  ended(limitMs?: number): Promise<SessionRow>
  row(): Promise<SessionRow>
  /** Kills it if it still runs, and ends the subscriptions. */
  close(): Promise<void>
}

export type SessionRow = NonNullable<Awaited<ReturnType<typeof readRow>>>

const readRow = async (stack: Stack, id: string) => (await stack.client.run(operations.sessionById, { id })).session

const terminal = new Set<SessionStatus>(['STOPPED', 'CRASHED', 'FAILED'])

/** Starts a session and follows its log and its status over WebSocket from the first moment. */
export const start = async (stack: Stack, deployment: { id: string }): Promise<Play> => {
  const input = { serverGameConfigId: deployment.id }
  const { startSession } = await stack.client.run(operations.startSession, { input })
  return follow(stack, ok(startSession, 'Session').id)
}

/** Follows a session that somebody else has started. */
export const follow = (stack: Stack, id: string): Play => {
  const { client } = stack
  const logs = followLogs(client, id)
  const changes = followStatus(stack, id)
  const row = async (): Promise<SessionRow> => {
    const session = await readRow(stack, id)
    if (!session) throw new Error(`session ${id} is not there`)
    return session
  }
  const kill = async (): Promise<void> => {
    ok((await client.run(operations.killSession, { input: { sessionId: id } })).killSession, 'Session')
  }
  return {
    id,
    logs,
    statuses: changes.statuses,
    until: changes.until,
    type: async (input) => {
      ok((await client.run(operations.sendInput, { input: { sessionId: id, input } })).sendInput, 'SendInputPayload')
    },
    act: async (name, values) => {
      const { session } = await client.run(operations.actionsOf, { id })
      const action = session?.deployment?.actions.find((one) => one.name === name)
      if (!action) throw new Error(`there is no action ${name}`)
      const { runAction } = await client.run(operations.runAction, { input: { sessionId: id, actionId: action.id, values } })
      ok(runAction, 'SendInputPayload')
    },
    ready: async (limitMs) => {
      await changes.until('RUNNING', limitMs)
      await eventually(async () => (await row()).readyAt, { what: `${id} is ready`, limitMs })
    },
    stop: async () => {
      ok((await client.run(operations.stopSession, { input: { sessionId: id } })).stopSession, 'Session')
    },
    kill,
    row,
    ended: async (limitMs) => {
      await changes.end(limitMs)
      await logs.end(limitMs)
      return row()
    },
    close: async () => {
      if (!terminal.has((await row()).status)) {
        await kill()
        await changes.end()
      }
      await Promise.all([logs.close(), changes.close()])
    },
  }
}

const followStatus = (stack: Stack, sessionId: string) => {
  const statuses: SessionStatus[] = []
  const closing = new AbortController()
  let fault: Error | undefined
  const follow = async (): Promise<void> => {
    const options = { resume: () => ({ sessionId }), signal: closing.signal }
    for await (const { sessionChanged } of stack.client.subscribe(operations.sessionChanged, { sessionId }, options)) {
      if (statuses.at(-1) !== sessionChanged.status) statuses.push(sessionChanged.status)
    }
  }
  const following = follow().catch((error: Error) => {
    fault = error
  })
  const seen = (found: () => boolean, what: string, limitMs?: number): Promise<unknown> =>
    eventually(
      () => {
        if (fault) throw fault
        return found()
      },
      { what, limitMs },
    ).catch(async (error: Error) => {
      const row = JSON.stringify(await readRow(stack, sessionId))
      throw new Error(`${error.message}; seen were ${statuses.join(', ')}; the session is ${row}`, { cause: error })
    })
  return {
    statuses,
    until: async (status: SessionStatus, limitMs?: number): Promise<void> =>
      void (await seen(() => statuses.includes(status), `${sessionId} is ${status}`, limitMs)),
    end: (limitMs?: number) => seen(() => statuses.some((status) => terminal.has(status)), `${sessionId} has ended`, limitMs),
    close: async (): Promise<void> => {
      closing.abort()
      await following
    },
  }
}
