import { actionsOf } from '../../lib/db/refs.ts'
import { ManManError, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { makeInputCheck } from '../../lib/domain/inputs.ts'
import { type Action, mergeActions, renderAction } from '../../lib/parameters/actions.ts'
import { insertActionRun, writeActionRun } from './action-store.ts'
import { makeSendInput, type SendInputDeps } from './input.ts'
import { sessionsById } from './store.ts'

export interface RunActionInput {
  sessionId: string | number
  actionId: string | number
  values?: unknown
}

const maxValuesBytes = 64 * 1024

/**
 * Types an action's line into a session's console. Recorded with its actor before it is typed, and with what became of it.
 * Throws `NotFound`, `Invalid` with every fault, and what `sendInput` throws. Run again under the same `id`, it is not typed
 * again.
 */
export const makeRunAction = (deps: SendInputDeps & { newId: () => string }) => {
  const sendInput = makeSendInput(deps)
  return async (given: RunActionInput, actor: string, id = deps.newId()): Promise<{ sessionId: string; writtenAt: Date }> => {
    const [sessionId, actionId] = [String(given.sessionId), String(given.actionId)]
    const [session] = isUuid(sessionId) ? await sessionsById(deps.db, [sessionId]) : []
    if (!session) throw new NotFound('session', sessionId)
    const levels = await actionsOf(deps.db, session.serverGameConfigId)
    // Written by the configs subgraph alone, in this shape.
    const known = [levels?.ofGame, levels?.ofConfig, levels?.ofDeployment].map((level) => (level ?? []) as unknown as Action[])
    const action = mergeActions(...known).find(({ id }) => id === actionId)
    if (!action) throw new NotFound('action of this session', actionId)
    const check = makeInputCheck()
    const values = given.values == null ? {} : (check.object('values', given.values, maxValuesBytes) ?? {})
    const shown = Object.entries(session.spec.values ?? {}).map(([name, { text }]) => [name, text] as const)
    const line = renderAction(check, action, values, new Map(shown))
    check.throwIfAny()
    await insertActionRun(deps.db, { id, sessionId, actionId, name: action.name, values, line: line!, actor })
    try {
      const sent = await sendInput({ sessionId, input: line!, idempotencyKey: id }, actor)
      await writeActionRun(deps.db, id, { writtenAt: sent.writtenAt, error: null })
      return sent
    } catch (error) {
      const message = error instanceof ManManError ? error.message : 'It failed on our side.'
      await writeActionRun(deps.db, id, { writtenAt: null, error: message })
      throw error
    }
  }
}
