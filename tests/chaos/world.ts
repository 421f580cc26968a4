import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CreateGameConfigInput, RestartPolicyInput } from '../support/generated/graphql.ts'
import { buildFakeGame } from '../support/images/fake-game.ts'
import { ok } from '../support/ok.ts'
import { createGame, createGameConfig, deployGameConfig } from '../support/operations.ts'
import type { Fleet, FleetHost } from './fleet.ts'

export interface Deployment {
  id: string
  serverId: string
  gameConfigId: string
  hostPort: number
}

export interface World {
  deployments: Deployment[]
  /** What a further deployment would run. */
  gameConfigId: string
}

const script = readFileSync(join(import.meta.dirname, 'game.sh'), 'utf8')

const styles: (Pick<CreateGameConfigInput, 'stop' | 'readyPattern'> & { deaf?: boolean })[] = [
  { stop: { kind: 'STDIN', value: 'quit', graceSeconds: 10 }, readyPattern: '^ready$' },
  { stop: { kind: 'SIGNAL', value: 'SIGTERM', graceSeconds: 10 } },
  { stop: { kind: 'STDIN', value: 'quit', graceSeconds: 2 }, deaf: true },
]

const policies: RestartPolicyInput[] = [
  { mode: 'NEVER' },
  // A short window, so that a game crashed on purpose over and over is still restarted.
  { mode: 'ON_FAILURE', maxRetries: 3, windowSeconds: 15 },
  { mode: 'NEVER' },
  { mode: 'ALWAYS', maxRetries: 1, windowSeconds: 15 },
]

/** A game with three ways to stop, deployed so often on each host, with every kind of restart policy. */
export const furnish = async (fleet: Fleet, perHost: number): Promise<World> => {
  const image = await buildFakeGame()
  const { createGame: game } = await fleet.client.run(createGame, { input: { name: 'chaos' } })
  const gameId = ok(game, 'Game').id
  const configs: string[] = []
  for (const [index, { deaf, ...style }] of styles.entries()) {
    const input: CreateGameConfigInput = {
      gameId,
      name: `style ${index}`,
      image,
      command: ['/bin/sh', '-c', script],
      ports: [{ name: 'game', containerPort: 7777, protocol: 'TCP' }],
      volumePath: '/data/game',
      envTemplate: deaf ? { DEAF: '1' } : {},
      ...style,
    }
    const { createGameConfig: config } = await fleet.client.run(createGameConfig, { input })
    configs.push(ok(config, 'GameConfig').id)
  }
  const deployments: Deployment[] = []
  for (const host of fleet.hosts) {
    for (let index = 0; index < perHost; index++) {
      const gameConfigId = configs[index % configs.length]!
      deployments.push(await deploy(fleet, host, gameConfigId, index))
    }
  }
  return { deployments, gameConfigId: configs[0]! }
}

const deploy = async (fleet: Fleet, host: FleetHost, gameConfigId: string, index: number): Promise<Deployment> => {
  const { serverId } = host
  const restartPolicy = policies[index % policies.length]
  const input = { serverId, gameConfigId, name: `game ${index}`, restartPolicy }
  const { deployGameConfig: answer } = await fleet.client.run(deployGameConfig, { input })
  const { id, portBindings } = ok(answer, 'ServerGameConfig')
  return { id, serverId, gameConfigId, hostPort: portBindings[0]!.hostPort }
}
