import { exchanges } from '../messages/routing.ts'

/**
 * What the broker lets a host do, as its patterns: read its two queues, and write what it says of itself. `\z` and not `$`,
 * which lets a newline through. Nothing else: not declare, not bind, not the default exchange, which reaches every queue.
 */
export const hostPermissions = (serverId: string) => {
  const about = [
    `status\\.(host|session|backup|restore)\\.${serverId}`,
    `(health|deadletter|request)\\.host\\.${serverId}`,
    `log\\.(host|session)\\.${serverId}`,
    `stats\\.session\\.${serverId}`,
  ].join('|')
  return {
    permissions: {
      configure: '^$',
      write: `\\A${escaped(exchanges.reports)}\\z`,
      read: `\\Ahost\\.${serverId}\\.(commands|requests)\\z`,
    },
    topic: {
      exchange: exchanges.reports,
      read: '^$',
      write: `\\A((${about})(\\.[A-Za-z0-9_.-]+)?|reply\\.host\\.${serverId}\\.[A-Za-z0-9-]+)\\z`,
    },
    // An agent has four connections; one that is replaced may still be known to the broker.
    limits: { 'max-connections': 8, 'max-channels': 200 },
  }
}

const escaped = (text: string): string => text.replaceAll('.', '\\.')
