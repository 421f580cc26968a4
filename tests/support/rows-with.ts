import { sql } from 'kysely'
import type { Database } from '../../lib/db/connect.ts'

/** The tables of the database with a row that holds any of the texts, in whatever column. */
export const tablesWith = async (db: Database, texts: readonly string[]): Promise<string[]> => {
  const { rows: tables } = await sql<{ name: string }>`
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`.execute(db)
  const found: string[] = []
  for (const { name } of tables) {
    const any = sql.join(
      texts.map((text) => sql`strpos(row_to_json(whole_row)::text, ${text}) > 0`),
      sql` OR `,
    )
    const { rows } = await sql`SELECT FROM ${sql.raw(name)} AS whole_row WHERE ${any} LIMIT 1`.execute(db)
    if (rows.length > 0) found.push(name)
  }
  return found
}
