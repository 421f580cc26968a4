import { type RawBuilder, sql } from 'kysely'
import { NotFound } from '../domain/errors.ts'
import { isUuid } from '../domain/ids.ts'
import { type Access, holdsByRole, type Permission, seesEverything } from '../domain/permissions.ts'
import { requirePermission, seesDeployment, seesServer } from './access.ts'
import type { Database } from './connect.ts'

/** What hangs on objects of other subgraphs asks here who sees those. */

const idsSeen =
  (sees: (access: Access, column: string) => RawBuilder<boolean>) =>
  async (db: Database, access: Access, ids: readonly string[]): Promise<ReadonlySet<string>> => {
    if (seesEverything(access)) return new Set(ids)
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM unnest(${ids.filter(isUuid)}::uuid[]) AS object(id) WHERE ${sees(access, 'id')}`.execute(db)
    return new Set(rows.map(({ id }) => id))
  }

/** Which of these deployments may be seen. By role it is all of them, without a query. */
export const deploymentsSeen = idsSeen(seesDeployment)

/** Which of these servers may be seen; likewise. */
export const serversSeen = idsSeen(seesServer)

/**
 * Resolves when they hold all of `permissions` on the deployment that a session, backup or the like belongs to. Throws
 * `NotFound` of the thing itself where it is not seen, and `Denied` where it is. By role it resolves, without a query, for
 * what is not there, too. `read` is what they see of it.
 */
export const requireOnPart = async <Part extends { serverGameConfigId: string }>(
  db: Database,
  access: Access,
  { kind, id, read }: { kind: string; id: string; read: (ids: readonly string[]) => Promise<readonly Part[]> },
  ...permissions: readonly Permission[]
): Promise<void> => {
  if (permissions.every((permission) => holdsByRole(access, permission))) return
  const [part] = isUuid(id) ? await read([id]) : []
  if (!part && !seesEverything(access)) throw new NotFound(kind, id)
  for (const permission of permissions)
    await requirePermission(db, access, 'deployment', part?.serverGameConfigId ?? id, permission)
}
