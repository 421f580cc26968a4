import type { TestProject } from 'vitest/node'
import './provided.ts'
import { ensureDocker, startTestServices, type TestServices } from './services.ts'
import { ensureTemplate } from './template.ts'

/**
 * Runs once per project before its tests: real PostgreSQL, RabbitMQ and Docker. Services named by TEST_DATABASE_URL,
 * TEST_AMQP_URL and TEST_AMQP_MANAGEMENT_URL (`npm run dev:services` prints them) are used instead of own ones.
 */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const [running] = await Promise.all([given() ?? shared(), ensureDocker()])
  project.provide('services', running.services)
  project.provide('templateDatabase', await ensureTemplate(running.services.databaseUrl))
  return running.stop
}

type Running = Awaited<ReturnType<typeof startTestServices>>

/** The integration and the e2e project load this file each for themselves, yet use the same services. */
const registry = globalThis as { testServices?: { running: Promise<Running>; users: number } }

const shared = async (): Promise<Running> => {
  registry.testServices ??= { running: startTestServices(), users: 0 }
  const entry = registry.testServices
  entry.users++
  const { services, stop } = await entry.running
  return {
    services,
    stop: async () => {
      entry.users--
      if (entry.users === 0) await stop()
    },
  }
}

const given = (): Running | undefined => {
  const { TEST_DATABASE_URL: databaseUrl, TEST_AMQP_URL: amqpUrl, TEST_AMQP_MANAGEMENT_URL: amqpManagementUrl } = process.env
  const services: Partial<TestServices> = { databaseUrl, amqpUrl, amqpManagementUrl }
  const set = Object.values(services).filter(Boolean).length
  if (set === 0) return undefined
  if (set < 3) throw new Error('set all of TEST_DATABASE_URL, TEST_AMQP_URL and TEST_AMQP_MANAGEMENT_URL, or none')
  return { services: services as TestServices, stop: async () => {} }
}
