import { setTimeout as delay } from 'node:timers/promises'
import { connectDatabase, type Database } from '../../lib/db/connect.ts'
import type { DeadLetter } from '../../lib/db/dead-letters.ts'
import { probeDatabase } from '../../lib/db/probe.ts'
import { printable } from '../../lib/domain/printable.ts'
import { makeLogger } from '../../lib/process/logger.ts'
import { newId } from '../../lib/process/new-id.ts'
import { makeRabbit } from '../../lib/rabbit/connect.ts'
import { originHeaders } from '../../lib/rabbit/dead-letter.ts'
import { probeBroker } from '../../lib/rabbit/probe.ts'
import { makePublisher } from '../../lib/rabbit/publisher.ts'
import { openHome } from '../home.ts'
import { choosePostgres, chooseRabbit } from '../services/choose.ts'
import { ServiceFault } from '../services/service.ts'

const connectLimitMs = 10_000

export interface DeadLetterAccess {
  db: Database
  /** Opens the broker; answers what sends a letter to the queue it came from, and resolves once that is confirmed. */
  openSender(): Promise<(letter: DeadLetter) => Promise<void>>
  close(): Promise<void>
}

/** At `DATABASE_URL` and `AMQP_URL`, or the ones that `manman up` runs. Throws `ServiceFault` with the remedy. */
export const openDeadLetters = async (env: NodeJS.ProcessEnv): Promise<DeadLetterAccess> => {
  const home = openHome(env)
  const logger = makeLogger({ name: 'dlq', level: 'fatal' })
  const postgres = await choosePostgres(home, env)
  const fault = await probeDatabase(postgres.url)
  if (fault) throw absent('DATABASE_URL', 'the database', home.dir, env.DATABASE_URL, fault.message)
  const database = connectDatabase({ url: postgres.url, name: 'dlq', logger, max: 2 })
  const closing = [database.close]
  return {
    db: database.db,
    openSender: async () => {
      const { url } = await chooseRabbit(home, env)
      const noBroker = await probeBroker(url)
      if (noBroker) throw absent('AMQP_URL', 'the broker', home.dir, env.AMQP_URL, noBroker.message)
      const rabbit = await makeRabbit({ url, name: 'dlq', logger })
      closing.unshift(rabbit.close)
      const publisher = makePublisher({ rabbit, name: 'dead letters again' })
      for (const until = Date.now() + connectLimitMs; !publisher.connected() && Date.now() < until; ) await delay(50)
      return (letter) => publisher.publish(again(letter))
    },
    close: async () => {
      for (const close of closing) await close()
    },
  }
}

const absent = (variable: string, what: string, homeDir: string, given: string | undefined, message: string): ServiceFault =>
  new ServiceFault(
    given
      ? `${variable}: ${what} ${message}`
      : `${what} of ${homeDir} ${message}: start ManMan there, or set MANMAN_HOME or ${variable}`,
  )

/** As it was published first, for its own queue alone. */
const again = (letter: DeadLetter) => ({
  exchange: '',
  routingKey: letter.queue,
  content: letter.content,
  messageId: letter.messageId ?? newId(),
  persistent: true,
  mandatory: true,
  headers: { [originHeaders.exchange]: letter.exchange, [originHeaders.routingKey]: letter.routingKey },
})

export const missing = (id: string): Error => new Error(`There is no dead letter ${printable(id.slice(0, 100))}.`)
