import { asSuperuser } from '../../support/template.ts'
import type { RowChange, SessionRow } from '../evidence.ts'

/** Without what proves nothing here and is large, and without notes on which messages about the session were sent. */
export const rowOf = (name: string): string =>
  `to_jsonb(${name}) - '{spec,last_lines,last_command,told_status,told_ready}'::text[]`

const install = `
  CREATE SCHEMA chaos;
  CREATE TABLE chaos.changes (position bigint GENERATED ALWAYS AS IDENTITY, session_id uuid, before jsonb, after jsonb);
  CREATE FUNCTION chaos.note() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO chaos.changes (session_id, before, after)
    VALUES (NEW.id, CASE TG_OP WHEN 'UPDATE' THEN ${rowOf('OLD')} END, ${rowOf('NEW')});
    RETURN NULL;
  END $$;
  CREATE TRIGGER chaos AFTER INSERT OR UPDATE ON sessions.sessions FOR EACH ROW EXECUTE FUNCTION chaos.note();
  -- Rows of ended sessions as they were when first looked at.
  CREATE TABLE chaos.history (session_id uuid PRIMARY KEY, row jsonb);`

const copyHistory = `
  INSERT INTO chaos.history SELECT id, ${rowOf('s')} FROM sessions.sessions s WHERE status IN ('STOPPED', 'CRASHED', 'FAILED')
  ON CONFLICT DO NOTHING`

/** The database itself writes down every change of a session's row, in the transaction that makes it. */
export const makeAudit = async (databaseUrl: string) => {
  await asSuperuser(databaseUrl, (client) => client.query(install))
  return {
    /** Remembers how ended sessions look now. A database that is away is looked at another time. */
    rememberHistory: (): Promise<unknown> =>
      asSuperuser(databaseUrl, (client) => client.query(copyHistory)).catch(() => undefined),
    read: (): Promise<{ changes: RowChange[]; history: SessionRow[] }> =>
      asSuperuser(databaseUrl, async (client) => {
        const changes = await client.query<RowChange>(
          'SELECT session_id AS "sessionId", before, after FROM chaos.changes ORDER BY position',
        )
        const history = await client.query<{ row: SessionRow }>('SELECT row FROM chaos.history')
        return { changes: changes.rows, history: history.rows.map(({ row }) => row) }
      }),
  }
}

export type Audit = Awaited<ReturnType<typeof makeAudit>>
