import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'amqplib'
import { openAudit } from './audit.mjs'
import { makeMetrics } from './metrics.mjs'
import { makeWebhook } from './webhook.mjs'
import { inWords } from './words.mjs'

const { env } = process
const settings = {
  amqpUrl: env.AMQP_URL || 'amqp://127.0.0.1:5672',
  queue: env.QUEUE || 'events.example',
  queueType: env.QUEUE_TYPE || 'classic',
  keys: (env.KEYS || 'server.*,session.*,deadletter.*').split(','),
  auditFile: env.AUDIT_FILE || 'audit.jsonl',
  webhookUrl: env.WEBHOOK_URL,
  metricsPort: Number(env.METRICS_PORT || 9464),
}

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())

const audit = await openAudit(settings.auditFile)
const metrics = await makeMetrics(settings.metricsPort)
const webhook = makeWebhook({ url: settings.webhookUrl, stop: stop.signal, metrics })

/** Everything there is to do about one event. The audit file comes last: what stands in it is done. */
const handle = async (content) => {
  const event = JSON.parse(content.toString())
  if (audit.has(event.id)) return // delivered again
  console.log(`${event.at} ${inWords(event)}`)
  await webhook.post(inWords(event))
  await audit.append(event)
  metrics.count('manman_events_total', 'kind', event.kind)
}

/** Our own queue, which keeps events while we are away: up to 64 MB, then the oldest go. */
const declare = async (channel) => {
  const limits = { 'x-queue-type': settings.queueType, 'x-max-length-bytes': 64 * 1024 * 1024 }
  await channel.assertQueue(settings.queue, { durable: true, arguments: limits })
  for (const key of settings.keys) await channel.bindQueue(settings.queue, 'manman.events', key)
}

const consumeUntilLost = async (onReady) => {
  const connection = await connect(`${settings.amqpUrl}?heartbeat=10`, { timeout: 10_000 })
  const lost = once(connection, 'close')
  connection.on('error', (error) => console.error(`broker: ${error.message}`)) // 'close' follows
  try {
    const channel = await connection.createChannel()
    channel.on('error', () => connection.close().catch(() => {})) // refused: tried again from the start
    await channel.prefetch(10)
    await declare(channel)
    let tail = Promise.resolve() // one after the other, in the order they come
    const take = async (message) => {
      if (!stop.signal.aborted) await handle(message.content).catch((error) => giveUp(error, message))
      if (!stop.signal.aborted) channel.ack(message) // else it comes again
    }
    const { consumerTag } = await channel.consume(settings.queue, (message) => {
      if (message) tail = tail.then(() => take(message)).catch((error) => console.error(`not acknowledged: ${error.message}`))
      else connection.close().catch(() => {}) // the queue was deleted: it is declared again
    })
    onReady()
    await Promise.race([lost, once(stop.signal, 'abort')])
    if (stop.signal.aborted) await channel.cancel(consumerTag).catch(() => {})
    await tail
  } finally {
    await connection.close().catch(() => {}) // lost already
  }
}

/** What is no JSON will never be. Anything else (the disk is full) needs a person: nothing is acknowledged, all of it waits. */
const giveUp = (error, message) => {
  if (stop.signal.aborted) return
  if (!(error instanceof SyntaxError)) {
    console.error(error.message)
    process.exit(1)
  }
  console.error(`not an event: ${message.fields.routingKey}`)
}

for (let failures = 0; !stop.signal.aborted; failures++) {
  const ready = () => {
    failures = 0
    metrics.set('manman_subscriber_connected', 1)
    console.log(`listening for ${settings.keys.join(', ')}`)
  }
  await consumeUntilLost(ready).catch((error) => console.error(`broker: ${error.message}`))
  metrics.set('manman_subscriber_connected', 0)
  await delay(Math.min(30_000, 250 * 2 ** Math.min(failures, 10)), undefined, { signal: stop.signal }).catch(() => {})
}
await metrics.close()
await audit.close()
