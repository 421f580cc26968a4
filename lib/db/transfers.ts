import { sql } from 'kysely'
import { Conflict, NotFound, Unavailable } from '../domain/errors.ts'
import type { DeploymentLink } from '../messages/session-spec.ts'
import { openOperation } from './operations.ts'
import { refDeployment, refServer } from './refs.ts'
import { isViolationOf, type Transaction } from './transaction.ts'

/** How a deployment begins to move to another server, and what forbids it. */

export interface NewTransfer {
  id: string
  /** Of the backup, should there be anything to move. */
  backupId: string
  serverGameConfigId: string
  toServerId: string
  actor: string
}

/**
 * Begins a move, which processors carry out. Throws `NotFound`, `Unavailable` (one of the two hosts is OFFLINE, or the target
 * is draining), or `Conflict`: it can't live there, or something else is under way. After a throw the transaction can only be
 * rolled back.
 */
export const beginTransfer = async (tx: Transaction, wanted: NewTransfer): Promise<void> => {
  const { id, serverGameConfigId, toServerId, actor } = wanted
  const deployment = await refDeployment(tx, serverGameConfigId)
  if (!deployment) throw new NotFound('deployment', serverGameConfigId)
  const source = await refServer(tx, deployment.serverId)
  await refuseMove(tx, deployment, toServerId)
  if (!source || source.status === 'OFFLINE')
    throw new Unavailable(`The host of ${source?.name ?? deployment.serverId} is offline: what it holds can't be moved now.`)
  const live = await liveSessions(tx, serverGameConfigId)
  const active = live.find(({ waitsFor }) => waitsFor === null)
  if (active?.kind === 'INSTALL') throw new Conflict('An install step of the deployment is under way.')
  const hasData = await holdsData(tx, serverGameConfigId)
  await tx
    .insertInto('backups.transfers')
    .values({
      id,
      server_game_config_id: serverGameConfigId,
      from_server_id: deployment.serverId,
      to_server_id: toServerId,
      step: active ? 'STOPPING' : hasData ? 'BACKING_UP' : 'PLACING',
      restarts: active !== undefined && (!active.stopRequested || live.length > 1),
      backup_id: hasData ? wanted.backupId : null,
      created_by: actor,
    })
    .execute()
    .catch((error) => {
      if (!isViolationOf(error, 'one_open_transfer_per_deployment')) throw error
      throw new Conflict('A move of this deployment is under way.', { cause: error })
    })
  if (!active) await openOperation(tx, { serverGameConfigId, kind: 'TRANSFER', subjectId: id })
}

/** Throws what forbids that the deployment lives on that server: `NotFound`, `Unavailable` or `Conflict`. */
export const refuseMove = async (
  tx: Transaction,
  deployment: { id: string; name: string; serverId: string; links: unknown },
  toServerId: string,
): Promise<void> => {
  const target = await refServer(tx, toServerId)
  if (!target) throw new NotFound('server', toServerId)
  if (deployment.serverId === toServerId) throw new Conflict(`The deployment is on ${target.name} already.`)
  if (target.status === 'OFFLINE') throw new Unavailable(`The server ${target.name} is OFFLINE: its host has not been heard of.`)
  if (target.draining) throw new Unavailable(`The server ${target.name} is draining and takes no deployments.`)
  const source = await refServer(tx, deployment.serverId)
  if (source && source.environment !== target.environment)
    throw new Conflict(`${target.name} is in the environment ${target.environment}, and the deployment in ${source.environment}.`)
  await refuseLinked(tx, deployment)
  const namesake = await tx
    .selectFrom('configs.server_game_configs')
    .select('id')
    .where('server_id', '=', toServerId)
    .where('deleted_at', 'is', null)
    .where(sql<boolean>`lower(name) = lower(${deployment.name})`)
    .executeTakeFirst()
  if (namesake) throw new Conflict(`There is a deployment named ${deployment.name} on ${target.name} already.`)
}

/** Links lead to deployments of the same server only. */
export const refuseLinked = async (tx: Transaction, { id, links }: { id: string; links: unknown }): Promise<void> => {
  const targets = (links as DeploymentLink[]).map(({ serverGameConfigId }) => serverGameConfigId)
  const linked = await tx
    .selectFrom('configs.server_game_configs as deployment')
    .select('deployment.name')
    .where('deployment.deleted_at', 'is', null)
    .where(
      sql<boolean>`(deployment.id = ANY(${targets}::uuid[])
        OR deployment.links @> jsonb_build_array(jsonb_build_object('serverGameConfigId', ${id}::text)))`,
    )
    .orderBy('deployment.name')
    .execute()
  const names = linked.map(({ name }) => name).join(', ')
  if (linked.length > 0)
    throw new Conflict(`Links join it with ${names}, and lead no further than its server: take them out first.`)
}

const liveSessions = (tx: Transaction, deploymentId: string) =>
  tx
    .selectFrom('sessions.sessions')
    .select(['id', 'kind', 'waits_for as waitsFor', sql<boolean>`stop_requested_at IS NOT NULL`.as('stopRequested')])
    .where('server_game_config_id', '=', deploymentId)
    .where(sql<boolean>`status NOT IN ('STOPPED', 'CRASHED', 'FAILED')`)
    .forShare()
    .execute()

/** Something has run, or was restored: its volumes are there. */
const holdsData = async (tx: Transaction, deploymentId: string): Promise<boolean> => {
  const { rows } = await sql<{ is: boolean }>`SELECT
    EXISTS (SELECT FROM sessions.sessions WHERE server_game_config_id = ${deploymentId} AND started_at IS NOT NULL)
    OR EXISTS (SELECT FROM backups.restores WHERE server_game_config_id = ${deploymentId} AND status = 'COMPLETED') AS is`.execute(
    tx,
  )
  return rows[0]!.is
}
