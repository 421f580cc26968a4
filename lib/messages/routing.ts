/** Exchanges, routing keys and queue names, in one place. Ids are UUIDs: no dots, so each is one word of a topic key. */
export const exchanges = { commands: 'manman.commands', reports: 'manman.reports', events: 'manman.events' } as const

export const queues = {
  hostCommands: (serverId: string) => `host.${serverId}.commands`,
  hostRequests: (serverId: string) => `host.${serverId}.requests`,
  statuses: 'processor.statuses',
  health: 'processor.health',
  deadLetters: 'manman.dead-letters',
  hostAsks: 'processor.host-asks',
  logArchive: (partition: number) => `log.archive.${partition}`,
} as const

export const keys = {
  /** `kind` is the command's or request's own, e.g. `session.start`. */
  command: (serverId: string, kind: string) => `command.host.${serverId}.${kind}`,
  reply: (serverId: string, callerId: string) => `reply.host.${serverId}.${callerId}`,
  repliesTo: (callerId: string) => `reply.host.*.${callerId}`,
  sessionStatus: (serverId: string, sessionId: string) => `status.session.${serverId}.${sessionId}`,
  backupStatus: (serverId: string, backupId: string) => `status.backup.${serverId}.${backupId}`,
  restoreStatus: (serverId: string, restoreId: string) => `status.restore.${serverId}.${restoreId}`,
  hostStatus: (serverId: string) => `status.host.${serverId}`,
  anyStatus: 'status.#',
  hostHealth: (serverId: string) => `health.host.${serverId}`,
  anyHealth: 'health.host.*',
  /** What a host can't handle; it may write to no queue itself. */
  deadLetter: (serverId: string) => `deadletter.host.${serverId}`,
  anyDeadLetter: 'deadletter.#',
  /** What a host wants of the control plane; the answer comes as a request of kind `control.answer`. */
  hostAsk: (serverId: string, what: string) => `request.host.${serverId}.${what}`,
  anyHostAsk: 'request.host.#',
  hostLog: (serverId: string) => `log.host.${serverId}`,
  sessionLog: (serverId: string, sessionId: string) => `log.session.${serverId}.${sessionId}`,
  sessionStats: (serverId: string, sessionId: string) => `stats.session.${serverId}.${sessionId}`,
  changedSession: (serverId: string, sessionId: string) => `changed.session.${serverId}.${sessionId}`,
  anyChangedSession: 'changed.session.#',
  changedServer: (serverId: string) => `changed.server.${serverId}`,
  anyChangedServer: 'changed.server.#',
  changedBackup: (serverId: string, backupId: string) => `changed.backup.${serverId}.${backupId}`,
  anyChangedBackup: 'changed.backup.#',
} as const

/** Who speaks, by a report's routing key: the broker limits the keys a host may write, so the body need not be believed. */
export const speakerOf = (routingKey: string): string | undefined => routingKey.split('.')[2]

/** The broker's user of a host. A host that changes its credentials has a new one, of the next generation. */
export const hostUser = (serverId: string, generation: number): string => `host-${serverId}-${generation}`

const hostUserPattern = /^host-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})-([1-9]\d{0,8})$/

/** Whose user it is; undefined for one that is no host's own. */
export const readHostUser = (user: string): { serverId: string; generation: number } | undefined => {
  const [, serverId, generation] = hostUserPattern.exec(user) ?? []
  return serverId === undefined ? undefined : { serverId, generation: Number(generation) }
}

/** Answers alone have such keys. */
export const isReply = (routingKey: string): boolean => routingKey.startsWith('reply.host.')

/** What a report is about, by its routing key: `host` for the machine as a whole, `session`, `backup` or `restore` for one of its own. */
export const topicOf = (routingKey: string): string | undefined => routingKey.split('.')[1]

/** Kinds of commands that are requests: routed to the host's requests queue, never kept for later. */
export const requestKinds = [
  'session.input',
  'session.watch',
  'stats.watch',
  'logs.read',
  'logs.archived',
  'files.preview',
  'control.answer',
] as const
/** Kinds that are commands: routed to the host's durable commands queue. */
export const commandKinds = [
  'session.start',
  'session.stop',
  'session.kill',
  'session.report',
  'config.update',
  'backup.create',
  'backup.restore',
  'backup.cancel',
  'volume.discard',
  'credentials.renew',
  'host.leave',
] as const

/** Queues that share the way to the archive. Fixed, as a host's lines must come in their order, through one of them. */
export const archivePartitions = 8

/** The host's own, always the same: by the random end of its id. */
export const archivePartitionOf = (serverId: string): number => Number.parseInt(serverId.slice(-6), 16) % archivePartitions
