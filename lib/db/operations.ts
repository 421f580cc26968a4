import { Conflict } from '../domain/errors.ts'
import { newId } from '../process/new-id.ts'
import type { Database } from './connect.ts'
import { isViolationOf, type Transaction } from './transaction.ts'

/** SESSION and INSTALL are of a session, by its kind; RESTORE and TRANSFER of one of those. */
export type OperationKind = 'SESSION' | 'INSTALL' | 'DELETE' | 'RESTORE' | 'TRANSFER'

/**
 * Opens an operation on a deployment; throws `Conflict` while another is open. The constraint decides, so two concurrent
 * mutations can never both win. After the throw the transaction can only be rolled back.
 */
export const openOperation = async (
  tx: Transaction,
  operation: { serverGameConfigId: string; kind: OperationKind; subjectId: string },
): Promise<void> => {
  try {
    await tx
      .insertInto('operations.deployment_operations')
      .values({
        id: newId(),
        server_game_config_id: operation.serverGameConfigId,
        kind: operation.kind,
        subject_id: operation.subjectId,
      })
      .execute()
  } catch (error) {
    asBusy(error)
  }
}

const asBusy = (error: unknown): never => {
  if (!isViolationOf(error, 'one_open_operation_per_deployment')) throw error
  throw new Conflict('The deployment is busy: a session of it is live, or another operation is under way.', { cause: error })
}

/** Opens again the operation held for `subjectId`, which has given way to another meanwhile. Open is success; throws as opening does. */
export const reopenOperation = async (tx: Transaction, subjectId: string): Promise<void> => {
  await tx
    .updateTable('operations.deployment_operations')
    .set({ closed_at: null })
    .where('subject_id', '=', subjectId)
    .execute()
    .catch(asBusy)
}

/** Closes the operation held for `subjectId`. Already closed, or never opened, is success. */
export const closeOperation = async (tx: Transaction, subjectId: string, now: Date): Promise<void> => {
  await tx
    .updateTable('operations.deployment_operations')
    .set({ closed_at: now })
    .where('subject_id', '=', subjectId)
    .where('closed_at', 'is', null)
    .execute()
}

/** What is under way at each of these deployments, for showing only. */
export const openOperations = async (db: Database, deploymentIds: readonly string[]): Promise<Map<string, OperationKind>> => {
  const rows = await db
    .selectFrom('operations.deployment_operations')
    .select(['server_game_config_id as id', 'kind'])
    .where('server_game_config_id', 'in', deploymentIds)
    .where('closed_at', 'is', null)
    .execute()
  return new Map(rows.map(({ id, kind }) => [id, kind as OperationKind]))
}

/** For what has to be told before it is tried: `openOperation` decides. */
export const hasOpenOperation = async (tx: Transaction, serverGameConfigId: string): Promise<boolean> => {
  const open = await tx
    .selectFrom('operations.deployment_operations')
    .select('id')
    .where('server_game_config_id', '=', serverGameConfigId)
    .where('closed_at', 'is', null)
    .executeTakeFirst()
  return open !== undefined
}

/** The deployment's open operation, if there is one, stays open until the transaction ends. */
export const holdOperation = async (tx: Transaction, serverGameConfigId: string): Promise<void> => {
  await tx
    .selectFrom('operations.deployment_operations')
    .select('id')
    .where('server_game_config_id', '=', serverGameConfigId)
    .where('closed_at', 'is', null)
    .forShare()
    .execute()
}
