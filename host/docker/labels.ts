import type { DeploymentLink } from '../../lib/messages/session-spec.ts'

/** Whose a container or network is. Docker's labels are what remains when this process and its files are gone. */
export interface SessionLabels {
  sessionId: string
  sgcId: string
  serverId: string
  environment: string
  /** RFC 3339. */
  createdAt: string
}

export type ResourceType = 'game' | 'network'

const names = {
  type: 'manman.type',
  sessionId: 'manman.session_id',
  sgcId: 'manman.sgc_id',
  serverId: 'manman.server_id',
  createdAt: 'manman.created_at',
  environment: 'manman.env',
  specHash: 'manman.spec_hash',
  memo: 'manman.session',
  linkAlias: 'manman.link_alias',
  linkTo: 'manman.link_to',
} as const

export const sessionLabels = (type: ResourceType, labels: SessionLabels): Record<string, string> => ({
  [names.type]: type,
  [names.sessionId]: labels.sessionId,
  [names.sgcId]: labels.sgcId,
  [names.serverId]: labels.serverId,
  [names.createdAt]: labels.createdAt,
  [names.environment]: labels.environment,
})

export const specHashLabel = (hash: string): Record<string, string> => ({ [names.specHash]: hash })

/** What a host that has lost its files needs to go on with the session. */
export const memoLabel = (memo: string): Record<string, string> => ({ [names.memo]: memo })

/** Of a network that is there for a link. */
export const linkLabels = ({ alias, serverGameConfigId }: DeploymentLink): Record<string, string> => ({
  [names.linkAlias]: alias,
  [names.linkTo]: serverGameConfigId,
})

/** The link a network is there for; null for a session's own network. */
export const readLinkLabels = (labels: Record<string, string> | null | undefined): DeploymentLink | null => {
  const alias = labels?.[names.linkAlias]
  const serverGameConfigId = labels?.[names.linkTo]
  return alias && serverGameConfigId ? { alias, serverGameConfigId } : null
}

/** What the labels say; null when they are not ours or incomplete. */
export const readSessionLabels = (
  labels: Record<string, string> | null | undefined,
): (SessionLabels & { specHash: string | null; memo: string | null }) | null => {
  const sessionId = labels?.[names.sessionId]
  const sgcId = labels?.[names.sgcId]
  const serverId = labels?.[names.serverId]
  const environment = labels?.[names.environment]
  if (!sessionId || !sgcId || !serverId || !environment) return null
  return {
    sessionId,
    sgcId,
    serverId,
    environment,
    createdAt: labels[names.createdAt] ?? '',
    specHash: labels[names.specHash] ?? null,
    memo: labels[names.memo] ?? null,
  }
}

/** Which machine, in which environment: everything else on the same engine is somebody else's. */
export interface Owner {
  serverId: string
  environment: string
}

/** A Docker filter for our resources, of one session where given. */
export const labelFilter = (type: ResourceType, owner: Owner, sessionId?: string): { label: string[] } => ({
  label: [
    `${names.type}=${type}`,
    `${names.serverId}=${owner.serverId}`,
    `${names.environment}=${owner.environment}`,
    ...(sessionId === undefined ? [] : [`${names.sessionId}=${sessionId}`]),
  ],
})

/** Name of a session's container and network: readable in `docker ps`, and taken when there is one already. */
export const resourceName = (environment: string, sessionId: string): string => `manman-${environment}-${sessionId}`
