import { expect, test } from 'vitest'
import { readGatewayConfig } from '../../../gateway/config.ts'
import { defaultLimits } from '../../../gateway/limits.ts'
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
    limits: defaultLimits,
    introspection: true,
    origins: [],
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
  ['MANMAN_INTROSPECTION', { MANMAN_INTROSPECTION: 'no' }],
  ['MANMAN_CORS_ORIGINS', { MANMAN_CORS_ORIGINS: '*' }],
  ['MANMAN_CORS_ORIGINS', { MANMAN_CORS_ORIGINS: 'https://a.example, https://b.example/' }],
  ['MANMAN_MAX_COST', { MANMAN_MAX_COST: '0' }],
  ['MANMAN_SLOW_READER_SECONDS', { MANMAN_SLOW_READER_SECONDS: '9999999' }],
])('a fault of %s is named, and no secret with it (%j)', (name, change) => {
  const faults = faultsOf({ ...complete, ...change })
  expect(faults).toHaveLength(1)
  expect(faults[0]).toMatch(new RegExp(`^${name}: `))
  expect(faults.join()).not.toContain('too short')
})

test('what is set is taken, times in seconds', () => {
  const { limits, introspection, origins } = readGatewayConfig({
    ...complete,
    MANMAN_INTROSPECTION: 'off',
    MANMAN_CORS_ORIGINS: 'https://a.example, http://localhost:5173',
    MANMAN_MAX_COST: '7',
    MANMAN_INIT_TIMEOUT_SECONDS: '2',
  })
  expect({ limits, introspection, origins }).toEqual({
    limits: { ...defaultLimits, maxCost: 7, initTimeoutMs: 2_000 },
    introspection: false,
    origins: ['https://a.example', 'http://localhost:5173'],
  })
})

test('all faults are told at once', () => {
  expect(faultsOf({})).toHaveLength(3)
})
