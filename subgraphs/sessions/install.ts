import { inTransaction } from '../../lib/db/transaction.ts'
import { Conflict, NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { beginInstall, prepareRun } from './run.ts'
import type { StartDeps } from './start.ts'

/**
 * Runs the install step of a deployment again, whether or not it was done before; what it does shows as a session of kind
 * INSTALL. Throws `NotFound`, `Invalid` (a parameter is missing), `Unavailable` (the host is OFFLINE or draining), or
 * `Conflict` (there is no install step, a session is live, or another operation is under way).
 */
export const makeReinstall =
  (deps: StartDeps) =>
  async (deploymentId: string, actor: string): Promise<{ id: string }> => {
    if (!isUuid(deploymentId)) throw new NotFound('deployment', deploymentId)
    const { newId, secrets, startDeadlineMs } = deps
    return inTransaction(deps.db, async (tx) => {
      const id = newId()
      const { install, ...run } = await prepareRun(tx, secrets, deploymentId, { id, source: { input: null } })
      if (!install) throw new Conflict('The game config of this deployment has no install step.')
      const settled = { startDeadlineMs, idempotencyKey: null, restartOf: null }
      await beginInstall(tx, { ...run, ...settled, install, installId: id, serverGameConfigId: deploymentId }, actor)
      return { id: deploymentId }
    })
  }
