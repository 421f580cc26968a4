import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fleet } from '../chaos/fleet.ts'
import { buildFakeGame } from '../support/images/fake-game.ts'
import { ok } from '../support/ok.ts'
import { createGame, createGameConfig, deployGameConfig, startSession } from '../support/operations.ts'
import { filesOf, type Script } from './script.ts'

/** A deployment of the writer. */
export interface Place {
  deploymentId: string
  /** Its volume on this machine. */
  volume: string
}

/** So many deployments of the writer on the first host. */
export const furnish = async ({ client, hosts, environment }: Fleet, count: number): Promise<Place[]> => {
  const { serverId, dataDir } = hosts[0]!
  const writer = await readFile(join(import.meta.dirname, 'writer.sh'), 'utf8')
  const { createGame: game } = await client.run(createGame, { input: { name: 'writer' } })
  const config = {
    gameId: ok(game, 'Game').id,
    name: 'writer',
    image: await buildFakeGame(),
    command: ['/bin/sh', '-c', writer],
    volumePath: '/data/game',
    stop: { kind: 'SIGNAL' as const, value: 'SIGKILL', graceSeconds: 1 },
  }
  const { createGameConfig: created } = await client.run(createGameConfig, { input: config })
  const gameConfigId = ok(created, 'GameConfig').id
  const places: Place[] = []
  for (let index = 0; index < count; index++) {
    const input = { serverId, gameConfigId, name: `writer ${index}`, restartPolicy: { mode: 'NEVER' as const } }
    const { deployGameConfig: deployed } = await client.run(deployGameConfig, { input })
    const { id } = ok(deployed, 'ServerGameConfig')
    places.push({ deploymentId: id, volume: join(dataDir, `gsc-${environment}-${id}`) })
  }
  return places
}

/** Lays the script into the volume and starts a session that plays it; answers its id. */
export const perform = async ({ client }: Fleet, { deploymentId, volume }: Place, script: Script): Promise<string> => {
  await mkdir(volume, { recursive: true })
  for (const name of await readdir(volume)) await rm(join(volume, name))
  for (const [name, content] of Object.entries(filesOf(script))) await writeFile(join(volume, name), content)
  const { startSession: started } = await client.run(startSession, { input: { serverGameConfigId: deploymentId } })
  return ok(started, 'Session').id
}

/** Lets the script go on that waits for that file. */
export const letGo = ({ volume }: Place, name: string): Promise<void> => writeFile(join(volume, name), '')
