import type { ServerCondition } from '../../lib/messages/statuses.ts'
import type { Server } from './store.ts'

type Access = Pick<Server, 'brokerAccess' | 'enrolledAt' | 'accessRevokedAt' | 'offeredAt' | 'revokingSince' | 'deletedAt'>

/** What is to be known of a server's credentials, beside what its host says of the machine. Pure. */
export const accessConditions = (server: Access): ServerCondition[] => {
  const all: [string, Date | null, string][] = [
    ['BROKER_SHARED', server.brokerAccess === 'SHARED' && !server.deletedAt ? server.enrolledAt : null, shared],
    ['ACCESS_REVOKED', server.deletedAt ? null : server.accessRevokedAt, revoked],
    ['REVOCATION_PENDING', server.revokingSince, pending],
    ['CREDENTIALS_OFFERED', server.offeredAt, offered],
  ]
  return all.flatMap(([kind, since, message]) => (since ? [{ kind, message, since: since.toISOString() }] : []))
}

const shared =
  'Its host has a user of the broker that all hosts share: whoever has its credentials reads what other hosts are told, and speaks for them. Set MANMAN_AMQP_MANAGEMENT_URL, and each gets its own.'
const revoked = 'Its credentials were revoked, its games go on. createEnrollmentToken gives a token to join with again.'
const pending = 'Credentials are revoked that the broker still takes: it is told as soon as its management API answers.'
const offered = 'New credentials wait for its host to take them into use; until then those before are good.'
