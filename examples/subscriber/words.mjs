const how = ({ endMessage, endReason, exitCode }) => endMessage ?? `${endReason ?? 'ended'}, exit code ${exitCode ?? 'unknown'}`

const sentences = {
  'server.online': () => 'is back',
  'server.stale': () => 'has not been heard of for a moment',
  'server.offline': ({ lastSeenAt }) => `is away, last heard of at ${lastSeenAt}`,
  'server.disk-low': ({ message }) => message,
  'session.running': ({ previousStatus }) => (previousStatus === 'LOST' ? 'was lost and runs after all' : 'runs'),
  'session.ready': () => 'is ready for players',
  'session.stopped': (event) => `stopped (${how(event)})`,
  'session.crashed': (event) => `crashed: ${how(event)}`,
  'session.failed': (event) => `did not start: ${how(event)}`,
  'session.lost': () => 'is lost: its server has been silent for too long',
  'schedule.missed': ({ scheduleName, dueAt }) => `missed its schedule ${scheduleName}, due at ${dueAt}`,
  'deadletter.added': ({ queue, reason }) => `a message in ${queue} was given up: ${reason}`,
}

const whom = ({ deploymentName, gameName, serverName }) => {
  if (deploymentName) return `${deploymentName}${gameName ? ` (${gameName})` : ''} on ${serverName}`
  return serverName ?? ''
}

/** One line for people, also of an event that this program does not know. */
export const inWords = (event) => {
  const sentence = sentences[event.kind]?.(event) ?? ''
  return `${event.kind}: ${whom(event)} ${sentence}`.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
}
