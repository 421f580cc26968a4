import type { BrokerState } from './rabbitmq.ts'

const loopback = '127.0.0.1'

/** This machine always; others where they are let in. */
const listeners = ({ amqpPort, listen }: BrokerState): string[] => {
  const addresses = listen === undefined ? [loopback] : listen === '0.0.0.0' || listen === '::' ? [listen] : [loopback, listen]
  return addresses.map((address, index) => `listeners.tcp.${index + 1} = ${address}:${amqpPort}`)
}

/**
 * rabbitmq.conf (https://www.rabbitmq.com/docs/configure). The user is made only when the data directory is, and then
 * `guest` is not. Limits suit one machine that also runs games: the broker blocks its publishers before it starves them.
 */
export const makeSettings = (state: BrokerState): string =>
  [
    ...listeners(state),
    'default_user = manman',
    `default_pass = ${state.password}`,
    'default_permissions.configure = .*',
    'default_permissions.read = .*',
    'default_permissions.write = .*',
    'default_user_tags.administrator = true',
    'disk_free_limit.absolute = 200MB',
    'vm_memory_high_watermark.relative = 0.2',
    'log.console.level = info',
    'log.connection.level = warning',
    // The API by which hosts get users of their own. What it can count besides, nobody reads.
    `management.tcp.ip = ${loopback}`,
    `management.tcp.port = ${state.managementPort}`,
    'management.rates_mode = none',
    '',
  ].join('\n')

/** An Erlang term: the list of plugins to load. */
export const plugins = '[rabbitmq_management].\n'
