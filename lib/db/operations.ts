import { Conflict } from '../domain/errors.ts'
import { newId } from '../process/new-id.ts'
import { isViolationOf, type Transaction } from './transaction.ts'

export type OperationKind = 'SESSION' | 'DELETE'

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
    if (!isViolationOf(error, 'one_open_operation_per_deployment')) throw error
    throw new Conflict('The deployment is busy: a session of it is live, or another operation is under way.', { cause: error })
  }
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
