import { asSuperuser } from './template.ts'

/**
 * Rows of every table of ours, by `schema.table`: equal before and after means that nothing was made or lost. Without the
 * audit, which also tells of what was refused.
 */
export const countRows = (databaseUrl: string): Promise<Record<string, number>> =>
  asSuperuser(databaseUrl, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema') and tablename <> 'audit_events' order by 1`,
    )
    const counts: Record<string, number> = {}
    for (const { name } of rows) {
      const counted = await client.query<{ count: number }>(`select count(*)::int as count from ${name}`)
      counts[name] = counted.rows[0]!.count
    }
    return counts
  })
