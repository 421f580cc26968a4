import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../tests/support/eventually.ts'
import { run } from '../../tests/support/images/docker-cli.ts'
import { ok } from '../../tests/support/ok.ts'
import { killSession, sendInput, sessionById, startSession } from '../../tests/support/operations.ts'
import { deploy } from '../../tests/support/play.ts'
import type { Stage } from '../stage.ts'

const script = readFileSync(join(import.meta.dirname, 'writer.mjs'), 'utf8')
const command = ['node', '--input-type=module', '-e', script]
const startLimitMs = 180_000

/** A session whose game is the writer. */
export interface Game {
  sessionId: string
  deploymentId: string
  gameId: string
  container: string
  /** Has it write so many lines a second, 0 for as many as go; does not wait for them. */
  pace(rate: number, seconds: number): Promise<void>
  /** Ends it and waits until it has. */
  kill(): Promise<void>
}

export const startGame = async (stage: Stage): Promise<Game> => {
  const { client } = stage
  const deployment = await deploy(stage, {
    image: stage.image,
    command,
    stop: { kind: 'SIGNAL', value: 'SIGKILL', graceSeconds: 5 },
  })
  const { startSession: started } = await client.run(startSession, { input: { serverGameConfigId: deployment.id } })
  const { id: sessionId } = ok(started, 'Session')
  const status = async () => (await client.run(sessionById, { id: sessionId })).session?.status
  const until = (wanted: string) =>
    eventually(async () => (await status()) === wanted, { what: `the game is ${wanted}`, limitMs: startLimitMs, everyMs: 100 })
  await until('RUNNING')
  return {
    sessionId,
    deploymentId: deployment.id,
    gameId: deployment.gameId,
    container: `manman-${stage.environment}-${sessionId}`,
    pace: async (rate, seconds) => {
      const input = { sessionId, input: `pace ${rate} ${seconds}` }
      const { sendInput: answer } = await client.run(sendInput, { input })
      // On a busy machine the answer may come too late: whether it was typed is seen from what the game writes.
      if (answer.__typename !== 'OutcomeUnknownError') ok(answer, 'SendInputPayload')
    },
    kill: async () => {
      ok((await client.run(killSession, { input: { sessionId } })).killSession, 'Session')
      await until('STOPPED')
    },
  }
}

/** The same writer in a container that nobody but the caller reads, with the log that sessions have; `remove` ends it. */
export const startBareGame = async (stage: Stage, rate: number, seconds: number) => {
  const log = ['--log-driver=local', '--log-opt=max-size=10m', '--log-opt=max-file=5', '--log-opt=compress=false']
  const words = [...command, 'pace', String(rate), String(seconds)]
  // Its stdin stays open, so that it lives on: Docker ends the log of a container that has just ended without its tail.
  const args = [
    'run',
    '--detach',
    '--interactive',
    '--init',
    '--network=none',
    `--label=manman.env=${stage.environment}`,
    ...log,
    stage.image,
  ]
  const container = (await run('docker', [...args, ...words])).trim()
  return { container, remove: () => run('docker', ['rm', '--force', container]) }
}
