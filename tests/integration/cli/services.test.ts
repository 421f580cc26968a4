import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeEmbeddedPostgres } from '../../../cli/services/postgres.ts'
import { isAlive } from '../../../cli/services/processes.ts'
import { makeEmbeddedRabbit } from '../../../cli/services/rabbitmq.ts'
import type { Service } from '../../../cli/services/service.ts'
import { probeDatabase } from '../../../lib/db/probe.ts'
import { probeBroker } from '../../../lib/rabbit/probe.ts'

const holdService = resolve(import.meta.dirname, '../../support/hold-service.ts')

let dir: string
let services: Service[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'services-'))
  services = []
})
afterEach(async () => {
  await Promise.all(services.map((service) => service.stop()))
  rmSync(dir, { recursive: true, force: true })
})

const own = (service: Service): Service => {
  services.push(service)
  return service
}

/** A predecessor that started the service and was killed with SIGKILL; answers what it said before. */
const startAndKill = async (kind: string, serviceDir: string): Promise<{ origin: string; url: string }> => {
  const holder: ChildProcess = spawn(process.execPath, ['--import', 'tsx', holdService, kind, serviceDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(holder.stdout!, 'data')) as [Buffer]
  const ended = once(holder, 'exit')
  holder.kill('SIGKILL')
  await ended
  return JSON.parse(String(line))
}

describe('embedded PostgreSQL', () => {
  const postgresDir = () => join(dir, 'postgres')
  const make = async (): Promise<Service> =>
    own(await makeEmbeddedPostgres({ dir: postgresDir(), log: join(dir, 'postgres.log') }))
  const postmaster = () => Number.parseInt(readFileSync(join(postgresDir(), 'data/postmaster.pid'), 'utf8'), 10)

  it('is adopted, not started again, after whoever started it was killed', async () => {
    const before = await startAndKill('postgres', postgresDir())
    const pid = postmaster()
    const service = await make()
    expect(await service.start()).toBe('adopted')
    expect(service.url).toBe(before.url)
    expect([postmaster(), service.isAlive()]).toEqual([pid, true])
    await service.stop()
    expect([isAlive(pid), service.isAlive()]).toEqual([false, false])
    expect(await probeDatabase(service.url)).toMatchObject({ reason: 'unreachable' })
  })

  it('starts again after it was killed itself, and over the pid file of a process that is another one now', async () => {
    const service = await make()
    expect(await service.start()).toBe('started')
    const pid = postmaster()
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => service.isAlive()).toBe(false)
    const file = join(postgresDir(), 'data/postmaster.pid')
    writeFileSync(file, readFileSync(file, 'utf8').replace(String(pid), String(process.pid)))
    expect(await service.start()).toBe('started')
    expect(await probeDatabase(service.url)).toBeUndefined()
  })

  it('takes another port when a stranger has its own, and keeps its password', async () => {
    const first = await make()
    await first.start()
    await first.stop()
    const stranger = createServer().listen(Number(new URL(first.url).port), '127.0.0.1')
    await once(stranger, 'listening')
    const second = await make()
    expect(await second.start()).toBe('started')
    expect(new URL(second.url).port).not.toBe(new URL(first.url).port)
    expect(new URL(second.url).password).toBe(new URL(first.url).password)
    stranger.close()
  })

  it('lets nobody in without its password', async () => {
    const service = await make()
    await service.start()
    const url = new URL(service.url)
    url.password = 'guess'
    expect(await probeDatabase(url.href)).toMatchObject({ reason: 'denied' })
  })
})

describe('embedded RabbitMQ', () => {
  const rabbitDir = () => join(dir, 'rabbitmq')
  const make = async () => own(await makeEmbeddedRabbit({ dir: rabbitDir(), log: join(dir, 'rabbitmq.log') }))

  it('that is stopped at whatever moment of its start leaves no process behind', async () => {
    const left = (): string[] =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
        .filter((pid) => {
          try {
            return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${rabbitDir()}`)
          } catch {
            return false // gone meanwhile
          }
        })
    for (const moment of [0, 1, 20, 60, 150, 400, 900]) {
      const service = await make()
      const starting = service.start().catch((error: Error) => error)
      await delay(moment)
      await service.stop()
      expect(await starting).toBeInstanceOf(Error)
      expect(left(), `stopped after ${moment} ms`).toEqual([])
    }
  })

  it('is adopted after whoever started it was killed, lets only its own user in, and ends with its port mapper', async () => {
    const before = await startAndKill('rabbitmq', rabbitDir())
    const service = await make()
    expect(await service.start()).toBe('adopted')
    expect(service.url).toBe(before.url)

    const guest = new URL(service.url)
    guest.username = 'guest'
    guest.password = 'guest'
    expect(await probeBroker(guest.href)).toMatchObject({ reason: 'denied' })

    const { epmdPort } = JSON.parse(readFileSync(join(rabbitDir(), 'service.json'), 'utf8'))
    await service.stop()
    expect(existsSync(join(rabbitDir(), 'data'))).toBe(true)
    expect(await probeBroker(service.url)).toMatchObject({ reason: 'unreachable' })
    expect(await probeBroker(`amqp://127.0.0.1:${epmdPort}`)).toMatchObject({ reason: 'unreachable' })
  })
})
