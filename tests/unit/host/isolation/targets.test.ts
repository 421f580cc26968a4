import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readHostConfig } from '../../../../host/config.ts'
import { parseTarget, parseTargets } from '../../../../host/isolation/targets.ts'

describe('what an operator names', () => {
  it.each([
    ['10.0.0.5', '10.0.0.5/32', null],
    ['10.0.0.5:3306', '10.0.0.5/32', 3306],
    ['10.0.0.5/32:3306', '10.0.0.5/32', 3306],
    ['10.1.2.3/24', '10.1.2.0/24', null],
    ['172.31.255.255/12:53', '172.16.0.0/12', 53],
    ['1.2.3.4/0', '0.0.0.0/0', null],
  ])('%s is %s, port %s', (text, network, port) => {
    expect(parseTarget(text)).toEqual({ network, port })
  })

  it.each([
    '10.0.0',
    '10.0.0.256',
    '10.0.0.5/33',
    '10.0.0.5:0',
    '10.0.0.5:65536',
    'db:3306',
    'fd00::1',
    '10.0.0.5 -j ACCEPT',
    '!10.0.0.5',
  ])('%s is nothing', (text) => {
    expect(parseTarget(text)).toBeNull()
  })

  it('has nothing in it but digits, dots and a slash: it goes into a rule', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.ipV4(),
          fc.tuple(fc.ipV4(), fc.nat(99999)).map(([address, port]) => `${address}:${port}`),
        ),
        (text) => {
          expect(parseTarget(text)?.network ?? '0.0.0.0/0').toMatch(/^[0-9.]+\/[0-9]+$/)
        },
      ),
    )
  })

  it('is a list, with every fault told at once', () => {
    expect(parseTargets('10.0.0.5:80, 10.1.0.0/16  x,y').unread).toEqual(['x', 'y'])
    expect(readHostConfig({}).isolation).toEqual({ on: true, allow: [], deny: [] })
    const env = { MANMAN_ISOLATION: 'off', MANMAN_ISOLATION_ALLOW: '10.0.0.5:80', MANMAN_ISOLATION_DENY: '10.0.0.6' }
    expect(readHostConfig(env).isolation).toEqual({
      on: false,
      allow: [{ network: '10.0.0.5/32', port: 80 }],
      deny: [{ network: '10.0.0.6/32', port: null }],
    })
    const wrong = { MANMAN_ISOLATION: 'yes', MANMAN_ISOLATION_ALLOW: 'db:1, 10.0.0.5, x', MANMAN_ISOLATION_DENY: 'fd00::1' }
    expect(() => readHostConfig(wrong)).toThrow(
      /MANMAN_ISOLATION: is neither.*\n.*ALLOW: has db:1, x, and.*\n.*DENY: has fd00::1, and/,
    )
  })
})
