import { GraphQLError, locatedError } from 'graphql'
import { describe, expect, test } from 'vitest'
import { Invalid, NotFound } from '../../../lib/domain/errors.ts'
import { makeLogger } from '../../../lib/process/logger.ts'
import { toPublicError } from '../../../subgraphs/errors.ts'
import { makeLogCollector } from '../../support/subgraphs/log-collector.ts'

const inResolver = (error: Error): GraphQLError => locatedError(error, [], ['servers', 0, 'name'])

describe('what may be seen of an error', () => {
  test('an expected failure keeps its sentence, code and place', () => {
    const { logger, log } = makeTestLogger()
    expect(toPublicError(inResolver(new NotFound('server', '7')), logger).toJSON()).toEqual({
      message: 'There is no server 7.',
      path: ['servers', 0, 'name'],
      extensions: { code: 'NOT_FOUND' },
    })
    expect(log.text()).toBe('')
  })

  test('faults of input come with their list', () => {
    const issues = [{ path: 'name', message: 'is empty' }]
    expect(toPublicError(inResolver(new Invalid(issues)), makeTestLogger().logger).extensions).toEqual({
      code: 'INVALID_INPUT',
      issues,
    })
  })

  test.each([
    ['a defect', () => inResolver(new TypeError('x.secret is undefined'))],
    ['a null where none may be', () => new GraphQLError('Cannot return null for secret', { path: ['a'] })],
    ['what was no GraphQL error at all', () => new Error('secret')],
  ])('%s leaves as an id only, and stands in the log', (_, make) => {
    const { logger, log } = makeTestLogger()
    const shown = toPublicError(make(), logger)
    expect(JSON.stringify(shown)).not.toContain('secret')
    expect(shown.extensions.code).toBe('INTERNAL_SERVER_ERROR')
    expect(log.text()).toContain(String(shown.extensions.errorId))
    expect(log.text()).toContain('secret')
  })

  test('a fault of the request itself is the input’s', () => {
    const error = new GraphQLError('Variable "$at" got invalid value')
    expect(toPublicError(error, makeTestLogger().logger)).toMatchObject({
      message: error.message,
      extensions: { code: 'INVALID_INPUT' },
    })
  })

  test('what is public already stays as it is, however often it passes', () => {
    const { logger, log } = makeTestLogger()
    const once = toPublicError(inResolver(new Error('x')), logger)
    const twice = toPublicError(inResolver(once), logger)
    expect(twice.toJSON()).toEqual(once.toJSON())
    expect(log.text().trim().split('\n')).toHaveLength(1)
  })
})

const makeTestLogger = () => {
  const log = makeLogCollector()
  return { log, logger: makeLogger({ name: 'test', destination: log.stream }) }
}
