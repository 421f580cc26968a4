const inequivalent =
  /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)' in vhost '[^']*': received (.+) but current is ([^"]+)/

/**
 * One sentence with the remedy when the broker's refusal `reason` says that a queue or exchange is there with other
 * settings than it was declared with; undefined for every other reason.
 */
export const explainMismatch = (reason: string): string | undefined => {
  const found = inequivalent.exec(reason)
  if (!found) return undefined
  const [, argument, kind, name, wanted, present] = found
  const remedy = `delete it while nothing runs, once it is empty (rabbitmqctl delete_${kind} ${name})`
  const setting = argument === 'x-queue-type' ? `set MANMAN_QUEUE_TYPE=${plain(present!)} as it was, or ` : ''
  return `The ${kind} ${name} is there with ${argument} ${plain(present!)}, and ${plain(wanted!)} was asked for: ${setting}${remedy}.`
}

/** As RabbitMQ writes them: `'quorum'`, `the value 'quorum' of type 'longstr'`, `none`. */
const plain = (value: string): string => /'([^']*)'/.exec(value)?.[1] ?? value.trim()
