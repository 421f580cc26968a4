import { sql } from 'kysely'
import type { RestartPolicy } from '../domain/restart-policy.ts'
import type { StopProcedure } from '../messages/session-spec.ts'
import { addCommand } from './outbox.ts'
import type { Transaction } from './transaction.ts'

/**
 * Tells hosts how the live sessions of these deployments stop and come back from now on; deployments without one are left
 * out, as the next start tells. The caller has changed, and so locked, the rows. Takes the hosts' counters: do it last.
 */
export const addConfigUpdates = async (tx: Transaction, deploymentIds: readonly string[], actor: string): Promise<void> => {
  const rows = await tx
    .selectFrom('configs.server_game_configs as deployment')
    .innerJoin('configs.game_configs as config', 'config.id', 'deployment.game_config_id')
    .select(['deployment.id', 'deployment.server_id as serverId', 'deployment.restart_policy as restartPolicy'])
    .select(['deployment.start_priority as priority', 'config.stop'])
    .where('deployment.id', '=', sql<string>`ANY(${[...deploymentIds]}::uuid[])`)
    .where('deployment.id', 'in', (eb) =>
      eb
        .selectFrom('operations.deployment_operations')
        .select('server_game_config_id')
        .where('closed_at', 'is', null)
        .where('kind', '=', 'SESSION'),
    )
    // One order for all who take the counters of several hosts.
    .orderBy('deployment.server_id')
    .orderBy('deployment.id')
    .execute()
  for (const { id, serverId, priority, stop, restartPolicy } of rows) {
    const body = {
      kind: 'config.update' as const,
      serverGameConfigId: id,
      // Written by the configs subgraph alone, in these shapes.
      stop: stop as unknown as StopProcedure,
      restartPolicy: restartPolicy as unknown as RestartPolicy,
      priority,
    }
    await addCommand(tx, { serverId, actor, body })
  }
}
