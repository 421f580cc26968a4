import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { makeEmbeddedRabbit } from '../../../cli/services/rabbitmq.ts'

const run = promisify(execFile)

/**
 * A broker of this test file's own, to stop and to starve. In a directory that the next test run sweeps, should this one be
 * killed.
 */
export const openOwnBroker = async () => {
  const dir = resolve(import.meta.dirname, `../../.cache/services-${process.pid}`)
  mkdirSync(dir, { recursive: true })
  const home = join(dir, 'rabbitmq')
  const broker = await makeEmbeddedRabbit({ dir: home, log: join(dir, 'rabbitmq.log') })
  await broker.start()
  const { epmdPort } = JSON.parse(readFileSync(join(home, 'service.json'), 'utf8'))
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: String(epmdPort),
    RABBITMQ_NODENAME: 'manman@localhost',
    RABBITMQ_CONF_ENV_FILE: join(home, 'none'),
  }
  return {
    url: broker.url,
    stop: broker.stop,
    start: broker.start,
    /** Above this part of the machine's memory the broker takes no messages: 0 is at once. */
    limitMemory: (part: number) =>
      run('/usr/lib/rabbitmq/bin/rabbitmqctl', ['set_vm_memory_high_watermark', String(part)], { env }),
    close: async (): Promise<void> => {
      await broker.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
