import fc from 'fast-check'
import { expect, it } from 'vitest'
import { freeSubnets } from '../../../../host/docker/subnets.ts'

const pool = '10.213.0.0/16'

it('are 4,096 in an empty /16', () => {
  const all = [...freeSubnets(pool, [])]
  expect(all).toHaveLength(4_096)
  expect(all[0]).toBe('10.213.0.0/28')
  expect(all[17]).toBe('10.213.1.16/28')
  expect(all.at(-1)).toBe('10.213.255.240/28')
})

it('leave out what overlaps: larger, smaller, and part of a network', () => {
  expect([...freeSubnets(pool, ['10.213.0.0/17', '10.213.128.5/32', '192.168.0.0/16', 'fe80::1/64', ''])][0]).toBe(
    '10.213.128.16/28',
  )
  expect([...freeSubnets(pool, ['10.0.0.0/8'])]).toEqual([])
})

it('never repeat when each one given is taken', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(255), { maxLength: 20 }), (octets) => {
      const taken = octets.map((octet) => `10.213.${octet}.0/24`)
      for (let i = 0; i < 20; i++) {
        const [next] = freeSubnets(pool, taken)
        expect(taken).not.toContain(next)
        expect(octets).not.toContain(Number(next!.split('.')[2]))
        taken.push(next!)
      }
    }),
    { numRuns: 20 },
  )
})

it('refuse what is not a network', () => {
  expect(() => [...freeSubnets('10.213.0.0', [])]).toThrow(RangeError)
})
