import { beginAudit, endAudit } from '../../lib/db/audit.ts'
import { newId } from '../../lib/process/new-id.ts'
import type { Audit } from '../audit.ts'
import type { PartOptions } from './part.ts'

/** The audit in the database that mutations themselves are written to: no further service can be away. */
export const makeAudit = ({ db, logger }: Pick<PartOptions, 'db' | 'logger'>): Audit => ({
  begin: async (entry) => {
    const id = newId()
    await beginAudit(db, { id, ...entry, role: entry.role ?? null })
    return (outcome, code) =>
      endAudit(db, id, outcome, code).catch((error: unknown) => {
        // Its row says that the outcome is not known, which is so.
        logger.warn({ err: error, auditEvent: id, outcome, code }, 'the outcome of a mutation could not be written')
      })
  },
})
