import { eventually } from '../../tests/support/eventually.ts'
import { ok } from '../../tests/support/ok.ts'
import { sendInput, sessionById, startSession } from '../../tests/support/operations.ts'
import { deploy } from '../../tests/support/play.ts'
import { faultsOf, ms, type Outcome } from '../outcome.ts'
import { openStage, type Stage } from '../stage.ts'
import { quantile } from './load.ts'

/** What a session may be sent at once; the next ones would be refused. */
const lines = 95
const goalMs = 10

/** A game that reads what is typed. */
const startGame = async (stage: Stage): Promise<string> => {
  const { id } = await deploy(stage, { image: stage.image, command: ['cat'] })
  const { startSession: started } = await stage.client.run(startSession, { input: { serverGameConfigId: id } })
  const sessionId = ok(started, 'Session').id
  const isRunning = async () => (await stage.client.run(sessionById, { id: sessionId })).session?.status === 'RUNNING'
  await eventually(isRunning, { what: 'the game runs' })
  return sessionId
}

/** Milliseconds of each line: the mutation answers once the host has written it to the game's stdin. */
const type = async (stage: Stage, sessionId: string): Promise<number[]> => {
  const times: number[] = []
  for (let at = 0; at < lines; at++) {
    const beganAt = performance.now()
    const { sendInput: sent } = await stage.client.run(sendInput, { input: { sessionId, input: `line ${at}` } })
    times.push(performance.now() - beganAt)
    ok(sent, 'SendInputPayload')
  }
  return times
}

/** A console line from the client through gateway, subgraph, broker and agent into the game, one after the other. */
export const measureInput = async (): Promise<Outcome> => {
  const stage = await openStage({ name: 'gateway-input', profile: undefined })
  try {
    await type(stage, await startGame(stage)) // until it is compiled
    const times = await type(stage, await startGame(stage))
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
    return {
      what: '`sendInput`: sent by the client, written to stdin, answered',
      measured: `p50 ${ms(p50)}, p99 ${ms(p99)}`,
      raw: '',
      floor: `p50 ≤ ${goalMs} ms`,
      goal: `p50 ≤ ${goalMs} ms`,
      faults: faultsOf([{ is: p50 <= goalMs, fault: `p50 ${ms(p50)} is above ${goalMs} ms` }]),
      reachesGoal: p50 <= goalMs,
      figures: { p50Ms: p50, p99Ms: p99 },
    }
  } finally {
    await stage.close()
  }
}
