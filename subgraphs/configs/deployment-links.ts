import { sql } from 'kysely'
import type { Transaction } from '../../lib/db/transaction.ts'
import { Conflict } from '../../lib/domain/errors.ts'
import { isUuid } from '../../lib/domain/ids.ts'
import { duplicates, type InputCheck } from '../../lib/domain/inputs.ts'
import type { DeploymentLink } from '../../lib/messages/session-spec.ts'

export interface DeploymentLinkInput {
  alias: string
  serverGameConfigId: string | number
}

const maxLinks = 32
/** A DNS label, as containers look it up. */
const aliasPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** What can be checked without knowing the other deployments. */
export const parseLinks = (check: InputCheck, given: readonly DeploymentLinkInput[]): DeploymentLink[] => {
  if (given.length > maxLinks) check.refuse('links', `must not have more than ${maxLinks} entries`)
  const links = given.slice(0, maxLinks)
  const aliases = duplicates(links, ({ alias }) => alias)
  return links.map(({ alias, serverGameConfigId }, index) => {
    const path = `links.${index}.alias`
    if (!aliasPattern.test(alias)) check.refuse(path, 'must be 1 to 63 lower-case letters, digits or -, with no - at either end')
    if (alias === 'localhost') check.refuse(path, 'is the container itself')
    if (aliases.has(alias)) check.refuse(path, 'is the alias of more than one link')
    return { alias, serverGameConfigId: String(serverGameConfigId).toLowerCase() }
  })
}

/**
 * Refuses links that lead nowhere: to itself, off its server, or over the network of the machine. The caller holds the server's
 * lock, so what they lead to stays until it commits.
 */
export const checkLinks = async (
  tx: Transaction,
  check: InputCheck,
  from: { id: string; serverId: string; links: readonly DeploymentLink[] },
  config: { hostNetwork: boolean },
): Promise<void> => {
  const { links } = from
  if (links.length === 0) return
  if (config.hostNetwork)
    check.refuse('links', 'can not be had with hostNetwork, which has no network of its own to reach them by')
  const known = await reachable(tx, from.serverId, links)
  for (const [index, { serverGameConfigId }] of links.entries()) {
    const path = `links.${index}.serverGameConfigId`
    const target = known.get(serverGameConfigId)
    if (serverGameConfigId === from.id) check.refuse(path, 'is the deployment itself')
    else if (!target) check.refuse(path, 'is no deployment of this server')
    else if (target.hostNetwork)
      check.refuse(path, `is ${target.name}, which has the network of the machine and no alias in another`)
  }
}

const reachable = async (tx: Transaction, serverId: string, links: readonly DeploymentLink[]) => {
  const ids = links.map(({ serverGameConfigId }) => serverGameConfigId).filter(isUuid)
  if (ids.length === 0) return new Map<string, never>()
  const rows = await tx
    .selectFrom('configs.server_game_configs as deployment')
    .innerJoin('configs.game_configs as config', 'config.id', 'deployment.game_config_id')
    .select(['deployment.id', 'deployment.name', 'config.host_network as hostNetwork'])
    .where('deployment.id', 'in', ids)
    .where('deployment.server_id', '=', serverId)
    .where('deployment.deleted_at', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/** Present deployments with a link to one of these. */
const linkedFrom = (tx: Transaction, ids: readonly string[]) => {
  const links = sql`jsonb_array_elements(deployment.links)`
  return tx
    .selectFrom('configs.server_game_configs as deployment')
    .select(['deployment.name'])
    .where('deployment.deleted_at', 'is', null)
    .where(sql<boolean>`EXISTS (SELECT FROM ${links} link WHERE (link->>'serverGameConfigId')::uuid = ANY(${ids}::uuid[]))`)
    .orderBy('deployment.name')
    .execute()
}

/** Throws `Conflict` that names who has a link to it. The caller holds the server's lock. */
export const refuseWhileLinked = async (tx: Transaction, id: string): Promise<void> => {
  const from = await linkedFrom(tx, [id])
  if (from.length > 0) throw new Conflict(`${names(from)} has a link to this deployment: take it out first.`)
}

/** Throws `Conflict` when deployments that are to lose their own networks have links, or are linked. */
export const refuseLinksWithout = async (
  tx: Transaction,
  deployments: readonly { id: string; name: string; links: readonly DeploymentLink[] }[],
): Promise<void> => {
  const linked = await linkedFrom(
    tx,
    deployments.map(({ id }) => id),
  )
  const all = [...deployments.filter(({ links }) => links.length > 0), ...linked]
  if (all.length > 0) throw new Conflict(`hostNetwork leaves no network to link: take out the links of ${names(all)} first.`)
}

const names = (all: readonly { name: string }[]): string => [...new Set(all.map(({ name }) => name))].join(', ')
