import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allocatePorts, withFollowers } from '../../../lib/domain/port-allocation.ts'
import {
  addressesOverlap,
  connectAddress,
  type HeldPort,
  type PortDefinition,
  type PortRequest,
  parsePortRange,
} from '../../../lib/domain/ports.ts'

const port = (name: string, containerPort = 1000, protocol: 'TCP' | 'UDP' = 'TCP', sameInside = false): PortDefinition => ({
  name,
  containerPort,
  protocol,
  sameInside,
})
const held = (number: number, protocol: 'TCP' | 'UDP' = 'TCP', address = '0.0.0.0'): HeldPort => ({
  port: number,
  protocol,
  address,
  serverGameConfigId: `holder-of-${number}`,
})
const range = { from: 20_000, to: 20_009 }

const allocate = (definitions: PortDefinition[], given: Partial<PortRequest>[] = [], heldPorts: HeldPort[] = []) =>
  allocatePorts({
    definitions,
    requests: new Map(
      definitions.map(({ name }) => {
        const request = given.find((one) => one.name === name)
        return [name, { name, hostPort: request?.hostPort ?? null, bindAddress: request?.bindAddress ?? '0.0.0.0' }]
      }),
    ),
    range,
    held: heldPorts,
  })

describe('allocation of ports', () => {
  it('picks the lowest free numbers of the range', () => {
    expect(allocate([port('game', 1), port('query', 2)], [], [held(20_000)])).toMatchObject({
      bindings: [{ hostPort: 20_001 }, { hostPort: 20_002 }],
    })
  })

  it('takes a number asked for, inside the range or not', () => {
    expect(allocate([port('game')], [{ name: 'game', hostPort: 80 }])).toMatchObject({ bindings: [{ hostPort: 80 }] })
  })

  it('names every port asked for that another deployment holds, and allocates none', () => {
    const result = allocate(
      [port('game', 1), port('query', 2), port('rcon', 3)],
      [
        { name: 'game', hostPort: 20_005 },
        { name: 'query', hostPort: 20_006 },
      ],
      [held(20_005), held(20_006)],
    )
    expect(result).toEqual({
      kind: 'taken',
      taken: [
        { port: 20_005, protocol: 'TCP', serverGameConfigId: 'holder-of-20005' },
        { port: 20_006, protocol: 'TCP', serverGameConfigId: 'holder-of-20006' },
      ],
    })
  })

  it('keeps TCP and UDP apart', () => {
    expect(allocate([port('game', 1, 'UDP')], [{ name: 'game', hostPort: 20_000 }], [held(20_000, 'TCP')])).toMatchObject({
      kind: 'allocated',
    })
  })

  it('gives the two sides of one container port the same number', () => {
    const sides = [port('game', 3979, 'TCP'), port('query', 3979, 'UDP')]
    expect(allocate(sides, [], [held(20_000, 'UDP')])).toMatchObject({ bindings: [{ hostPort: 20_001 }, { hostPort: 20_001 }] })
    expect(allocate(sides, [{ name: 'game', hostPort: 3979 }])).toMatchObject({
      bindings: [{ hostPort: 3979 }, { hostPort: 3979 }],
    })
  })

  it('lets two addresses of the machine have the same number, but not together with all addresses', () => {
    const at = (bindAddress: string, other: string) =>
      allocate([port('game')], [{ name: 'game', hostPort: 20_000, bindAddress }], [held(20_000, 'TCP', other)]).kind
    expect(at('10.0.0.1', '10.0.0.2')).toBe('allocated')
    expect(at('10.0.0.1', '0.0.0.0')).toBe('taken')
    expect(at('0.0.0.0', '10.0.0.1')).toBe('taken')
    expect(at('::', '10.0.0.1')).toBe('allocated')
  })

  it('says which ports found no number when the range is full', () => {
    const full = Array.from({ length: 10 }, (_, index) => held(20_000 + index))
    expect(allocate([port('game', 1), port('query', 2, 'UDP')], [], full)).toEqual({ kind: 'exhausted', names: ['game'] })
  })

  it('uses the host port inside the container where the game announces it', () => {
    expect(allocate([port('game', 7777, 'UDP', true)])).toMatchObject({ bindings: [{ containerPort: 20_000, hostPort: 20_000 }] })
  })

  it('never gives a number twice, nor one that is held, and never fails while there are enough', () => {
    const definition = fc.record({
      containerPort: fc.integer({ min: 1, max: 3 }),
      protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
      address: fc.constantFrom('0.0.0.0', '10.0.0.1', '10.0.0.2'),
      hostPort: fc.option(fc.integer({ min: 20_000, max: 20_009 })),
    })
    // A game config declares no side of a container port twice.
    const side = (one: { containerPort: number; protocol: string }): string => `${one.containerPort}/${one.protocol}`
    const holder = fc.record({
      port: fc.integer({ min: 20_000, max: 20_009 }),
      protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
      address: fc.constantFrom('0.0.0.0', '10.0.0.1'),
      serverGameConfigId: fc.constant('other'),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(definition, { maxLength: 4, selector: side }),
        fc.array(holder, { maxLength: 8 }),
        (wanted, others) => {
          const definitions = wanted.map((one, index) => port(`p${index}`, one.containerPort, one.protocol))
          const given = wanted.map((one, index) => ({ name: `p${index}`, hostPort: one.hostPort, bindAddress: one.address }))
          const clash = given.some((a, i) =>
            given.some(
              (b, j) =>
                i < j &&
                a.hostPort !== null &&
                a.hostPort === b.hostPort &&
                wanted[i]!.protocol === wanted[j]!.protocol &&
                addressesOverlap(a.bindAddress, b.bindAddress),
            ),
          )
          if (clash) return // refused before it comes here
          const result = allocate(definitions, given, others)
          if (result.kind !== 'allocated') return
          const all = [
            ...result.bindings.map((b) => ({ port: b.hostPort, protocol: b.protocol, address: b.bindAddress, mine: true })),
            ...others.map((one) => ({ ...one, mine: false })),
          ]
          for (const [i, a] of all.entries())
            for (const b of all.slice(i + 1))
              if (a.mine && a.port === b.port && a.protocol === b.protocol)
                expect(addressesOverlap(a.address, b.address)).toBe(false)
        },
      ),
    )
  })
})

describe('port ranges', () => {
  it.each([
    ['20000-29999', { from: 20_000, to: 29_999 }],
    [' 1-65535 ', { from: 1, to: 65_535 }],
    ['5-5', { from: 5, to: 5 }],
    ['0-10', undefined],
    ['10-5', undefined],
    ['1-65536', undefined],
    ['a-b', undefined],
    ['', undefined],
    ['1-2-3', undefined],
  ])('%j', (text, expected) => expect(parsePortRange(text)).toEqual(expected))
})

describe('connect address', () => {
  const binding = (name: string, hostPort: number, bindAddress = '0.0.0.0') => ({
    name,
    hostPort,
    bindAddress,
    containerPort: 1,
    protocol: 'TCP' as const,
  })
  it('is the public address with the port named game, else the first', () => {
    expect(connectAddress('play.example', [binding('query', 1), binding('game', 2)])).toBe('play.example:2')
    expect(connectAddress('play.example', [binding('query', 1), binding('web', 2)])).toBe('play.example:1')
  })
  it('is null without ports or without a known address', () => {
    expect(connectAddress('play.example', [])).toBeNull()
    expect(connectAddress(null, [binding('game', 2)])).toBeNull()
  })
  it('is the bound address where players can see it', () => {
    expect(connectAddress('play.example', [binding('game', 2, '203.0.113.7')])).toBe('203.0.113.7:2')
    expect(connectAddress('play.example', [binding('game', 2, '192.168.1.4')])).toBe('play.example:2')
    expect(connectAddress('2001:db8::1', [binding('game', 2, '::')])).toBe('[2001:db8::1]:2')
  })
})

describe('consecutive ports', () => {
  const row = [
    port('game', 2456, 'UDP'),
    { ...port('query', 2457, 'UDP'), follows: 'game' },
    { ...port('rcon', 9, 'TCP'), follows: 'query' },
  ]
  const requests = (given: Record<string, number>) =>
    new Map(row.map(({ name }) => [name, { name, hostPort: given[name] ?? null, bindAddress: '0.0.0.0' }]))
  const settle = (given: Record<string, number>) => {
    const faults: string[] = []
    const settled = withFollowers(row, requests(given), (name, message) => faults.push(`${name}: ${message}`))
    return { numbers: [...settled.values()].map(({ hostPort }) => hostPort), faults }
  }

  it('are picked together, where all of them are free', () => {
    expect(allocate(row, [], [held(20_001, 'UDP'), held(20_004, 'TCP')])).toMatchObject({
      bindings: [{ hostPort: 20_003 }, { hostPort: 20_004 }, { hostPort: 20_005 }],
    })
    expect(
      allocate(
        row,
        [],
        Array.from({ length: 5 }, (_, index) => held(20_001 + 2 * index, 'UDP')),
      ),
    ).toMatchObject({
      kind: 'exhausted',
      names: ['game', 'query', 'rcon'],
    })
  })

  it('have one number for all: whichever is given makes the others', () => {
    expect(settle({}).numbers).toEqual([null, null, null])
    for (const given of [{ game: 5_000 }, { query: 5_001 }, { rcon: 5_002 }] as Record<string, number>[])
      expect(settle(given)).toEqual({ numbers: [5_000, 5_001, 5_002], faults: [] })
  })

  it('are refused where their numbers do not fit, or end', () => {
    expect(settle({ game: 5_000, rcon: 5_001 }).faults).toEqual([expect.stringMatching(/^rcon: must be 5002/)])
    expect(settle({ game: 65_534 }).faults).toEqual([expect.stringMatching(/^rcon: would be 65536/)])
  })
})
