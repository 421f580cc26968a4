import { expect, test } from 'vitest'
import { readGatewayConfig } from '../../../gateway/config.ts'
import { BadConfig } from '../../../lib/process/env.ts'

const complete = {
  SUBGRAPHS: 'servers=http://a:4101/graphql, configs=https://b/graphql',
  MANMAN_INTERNAL_KEY: 'k'.repeat(32),
  MANMAN_ADMIN_TOKEN: 't'.repeat(16),
}

const faultsOf = (env: NodeJS.ProcessEnv): readonly string[] => {
  try {
    readGatewayConfig(env)
  } catch (error) {
    if (error instanceof BadConfig) return error.faults
  }
  return []
}

test('has defaults for what need not be said', () => {
  expect(readGatewayConfig(complete)).toEqual({
    host: '127.0.0.1',
    port: 4000,
    logLevel: 'info',
    internalKey: complete.MANMAN_INTERNAL_KEY,
    adminToken: complete.MANMAN_ADMIN_TOKEN,
    subgraphs: { servers: 'http://a:4101/graphql', configs: 'https://b/graphql' },
    supergraphFile: undefined,
  })
})

test.each([
  ['SUBGRAPHS', { SUBGRAPHS: undefined }],
  ['SUBGRAPHS', { SUBGRAPHS: 'in-process' }],
  ['SUBGRAPHS', { SUBGRAPHS: 'servers=http://a:4101/graphql,' }],
  ['SUBGRAPHS', { SUBGRAPHS: 'servers=ftp://a' }],
  ['MANMAN_INTERNAL_KEY', { MANMAN_INTERNAL_KEY: 'too short' }],
  ['MANMAN_ADMIN_TOKEN', { MANMAN_ADMIN_TOKEN: 'too short' }],
  ['MANMAN_ADMIN_TOKEN_FILE', { MANMAN_ADMIN_TOKEN: '', MANMAN_ADMIN_TOKEN_FILE: '/nowhere/token' }],
  ['PORT', { PORT: 'http' }],
])('a fault of %s is named, and no secret with it (%j)', (name, change) => {
  const faults = faultsOf({ ...complete, ...change })
  expect(faults).toHaveLength(1)
  expect(faults[0]).toMatch(new RegExp(`^${name}: `))
  expect(faults.join()).not.toContain('too short')
})

test('all faults are told at once', () => {
  expect(faultsOf({})).toHaveLength(3)
})
