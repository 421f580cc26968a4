import { seesDeployment } from '../../lib/db/access.ts'
import { byId, forUuids } from '../../lib/db/by-id.ts'
import type { Database } from '../../lib/db/connect.ts'
import type { Transaction } from '../../lib/db/transaction.ts'
import { inTransaction } from '../../lib/db/transaction.ts'
import { beginTransfer } from '../../lib/db/transfers.ts'
import { NotFound } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import type { Access } from '../../lib/domain/permissions.ts'
import type { TransferStep, transferStatuses } from '../../lib/domain/transfers.ts'

/** A row of backups.transfers: a move of a deployment. */
export interface Transfer {
  id: string
  serverGameConfigId: string
  fromServerId: string
  toServerId: string
  status: (typeof transferStatuses)[number]
  step: TransferStep
  backupId: string | null
  restoreId: string | null
  error: string | null
  createdAt: Date
  endedAt: Date | null
}

export interface TransferDeploymentInput {
  serverGameConfigId: string | number
  toServerId: string | number
}

export const makeTransfers = ({ db, newId }: { db: Database; newId: () => string }) => ({
  transfersByIds: (ids: readonly string[], access: Access) =>
    byId((uuids) =>
      selectTransfers(db).where('id', 'in', uuids).where(seesDeployment(access, 'server_game_config_id')).execute(),
    )(ids),

  /** The newest move of each of many deployments, by deployment. */
  transfersOf: forUuids(async (ids) => {
    const transfers = await selectTransfers(db)
      .distinctOn('server_game_config_id')
      .where('server_game_config_id', 'in', ids)
      .orderBy('server_game_config_id')
      .orderBy('id', 'desc')
      .execute()
    return new Map(transfers.map((transfer) => [transfer.serverGameConfigId, transfer]))
  }),

  /** Begins a move; answers the deployment. Throws as `beginTransfer` does. */
  transferDeployment: async (input: TransferDeploymentInput, actor: string): Promise<{ id: string }> => {
    const [serverGameConfigId, toServerId] = [String(input.serverGameConfigId), String(input.toServerId)].map((id) =>
      id.toLowerCase(),
    ) as [string, string]
    if (!isUuid(serverGameConfigId)) throw new NotFound('deployment', serverGameConfigId)
    if (!isUuid(toServerId)) throw new NotFound('server', toServerId)
    const ids = { id: newId(), backupId: newId() }
    await inTransaction(db, (tx) => beginTransfer(tx, { ...ids, serverGameConfigId, toServerId, actor }))
    return { id: serverGameConfigId }
  },
})

export type Transfers = ReturnType<typeof makeTransfers>

const selectTransfers = (db: Database | Transaction) =>
  db
    .selectFrom('backups.transfers')
    .select(['id', 'server_game_config_id as serverGameConfigId', 'from_server_id as fromServerId', 'to_server_id as toServerId'])
    .select(['status', 'step', 'backup_id as backupId', 'restore_id as restoreId', 'error'])
    .select(['created_at as createdAt', 'ended_at as endedAt'])
    .$castTo<Transfer>()
