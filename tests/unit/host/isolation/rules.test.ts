import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bridgePrefix } from '../../../../host/docker/bridges.ts'
import {
  hasDocker,
  type Rules,
  removalText,
  restoreText,
  rulesFor,
  rulesForIpv6,
  standIn,
} from '../../../../host/isolation/rules.ts'

const bridges = bridgePrefix('0190a1b2-0000-7000-8000-000000000001')
const others = bridgePrefix('0190a1b2-0000-7000-8000-000000000002')
const wishes = {
  allow: [{ network: '10.0.0.5/32', port: 3306 }],
  deny: [{ network: '10.0.0.9/32', port: 5672 }],
  nameservers: ['10.0.0.1'],
}

/** A table as `iptables-save` prints it, and as `iptables-restore --noflush` changes it. */
const makeTable = (chains: Record<string, string[]>) => {
  const table = new Map(Object.entries(chains))
  const rulesOf = (name: string): string[] => {
    const found = table.get(name)
    if (!found) throw new Error(`no chain ${name}`)
    return found
  }
  const apply = (line: string): void => {
    const [, word, chain, rule] = /^(:|-[A-Z] )(\S+) ?(.*)$/.exec(line)!
    if (word === ':') table.set(chain!, [])
    else if (word === '-A ') rulesOf(chain!).push(rule!)
    else if (word === '-I ') rulesOf(chain!).unshift(rule!)
    else if (word === '-F ') rulesOf(chain!).splice(0)
    else if (word === '-X ') table.delete(chain!)
    else if (word === '-D ') {
      const at = rulesOf(chain!).indexOf(rule!)
      if (at < 0) throw new Error(`no rule ${line}`)
      rulesOf(chain!).splice(at, 1)
    }
  }
  return {
    table,
    save: () =>
      [
        '*filter',
        ...[...table.keys()].map((name) => `:${name} ACCEPT [12:3456]`),
        ...[...table].flatMap(([name, rules]) => rules.map((rule) => `-A ${name} ${rule}`)),
        'COMMIT',
        '',
      ].join('\n'),
    restore: (text: string): void => {
      const lines = text.trim().split('\n')
      expect([lines[0], lines.at(-1)]).toEqual(['*filter', 'COMMIT'])
      for (const line of lines.slice(1, -1)) apply(line)
    },
  }
}

const withDocker = () => ({
  INPUT: ['-i eth0 -j ACCEPT'],
  FORWARD: ['-j DOCKER-USER', '-j DOCKER-ISOLATION-STAGE-1'],
  'DOCKER-USER': ['-j RETURN'],
})

const establish = (table: ReturnType<typeof makeTable>, rules: Rules): void => table.restore(restoreText(rules, table.save()))

/** What becomes of a packet that matches just these rules' words; a model of first match wins. */
const verdict = (rules: readonly string[], matching: (match: string) => boolean): string => {
  const found = rules.find((rule) => matching(rule.slice(0, rule.indexOf('-j')).trim()))
  return found ? found.slice(found.indexOf('-j') + 3).split(' ')[0]! : 'RETURN'
}

describe('the names of bridges', () => {
  it('leave room for one each, and differ between agents', () => {
    expect(bridges).toMatch(/^mm[0-9a-z]{5}$/)
    fc.assert(fc.property(fc.uuid(), (id) => bridgePrefix(id).length === 7))
    expect(bridgePrefix('x')).toBe(bridgePrefix('x'))
    expect(bridges).not.toBe(others)
  })
})

describe('the rules', () => {
  const { input, forward } = rulesFor(bridges, wishes)
  const to = (network: string, port?: number) => (match: string) =>
    match === '' || match === `-d ${network}` || (port !== undefined && match === `-d ${network} -p tcp -m tcp --dport ${port}`)

  it('let nothing to the machine but answers, names, and what is allowed', () => {
    expect(verdict(input.rules, to('192.168.1.1/32', 22))).toBe('REJECT')
    expect(verdict(input.rules, to('10.0.0.5/32', 3306))).toBe('RETURN')
    expect(verdict(input.rules, to('10.0.0.5/32', 22))).toBe('REJECT')
    expect(verdict(input.rules, to('10.0.0.1/32', 53))).toBe('RETURN')
    expect(verdict(input.rules, (match) => match.includes('ESTABLISHED'))).toBe('RETURN')
  })

  it("let all through the machine but to clouds' metadata, what is denied, and other deployments' ports", () => {
    expect(verdict(forward.rules, (match) => match === '-d 8.8.8.8/32')).toBe('RETURN')
    for (const network of ['169.254.0.0/16', '100.100.100.200/32', '168.63.129.16/32'])
      expect(verdict(forward.rules, (match) => match === `-d ${network}`)).toBe('REJECT')
    expect(verdict(forward.rules, (match) => match.includes('10.0.0.9/32'))).toBe('REJECT')
    expect(verdict(forward.rules, (match) => match.includes('DNAT'))).toBe('REJECT')
    expect(verdict(forward.rules, (match) => match === '-d 169.254.169.254/32 -p udp -m udp --dport 53')).toBe('RETURN')
  })

  it('let an operator have the last word', () => {
    const open = rulesFor(bridges, { ...wishes, allow: [{ network: '169.254.0.0/16', port: null }] })
    expect(verdict(open.forward.rules, (match) => match === '-d 169.254.0.0/16')).toBe('RETURN')
  })

  it('let nothing through by IPv6, with or without chains of Docker', () => {
    const table = makeTable({ INPUT: [], FORWARD: ['-j ACCEPT'] })
    establish(table, rulesForIpv6(bridges))
    expect(table.table.get('FORWARD')![0]).toBe(`-i ${bridges}+ -j MANMAN-${bridges.slice(2)}-FWD`)
    expect(standIn(rulesForIpv6(bridges), table.save())).toBe(true)
  })
})

describe('the table', () => {
  const rules = rulesFor(bridges, wishes)

  it('is known as one that Docker uses', () => {
    expect(hasDocker(makeTable(withDocker()).save())).toBe(true)
    expect(hasDocker(makeTable({ ...withDocker(), FORWARD: [] }).save())).toBe(false)
  })

  it('is as it was, once the rules are taken away', () => {
    const table = makeTable(withDocker())
    const before = table.save()
    establish(table, rules)
    expect(standIn(rules, table.save())).toBe(true)
    table.restore(removalText(bridges, table.save())!)
    expect(table.save()).toBe(before)
    expect(removalText(bridges, before)).toBeNull()
  })

  it('is put right whatever was done to it, without touching what is others', () => {
    const [own, foreign] = [`MANMAN-${bridges.slice(2)}-`, `MANMAN-${others.slice(2)}-`]
    const hook = `-i ${bridges}+ -j ${own}IN`
    const harm = fc.constantFrom<(chains: Map<string, string[]>) => void>(
      (chains) => chains.get(`${own}IN`)?.pop(),
      (chains) => chains.get(`${own}FWD`)?.splice(0),
      (chains) => chains.get(`${own}FWD`)?.push('-j ACCEPT'),
      (chains) => chains.get('INPUT')!.unshift('-j ACCEPT'),
      (chains) => chains.get('INPUT')!.push(...(chains.has(`${own}IN`) ? [hook] : [])),
      (chains) => chains.get('DOCKER-USER')!.splice(0),
      (chains) => chains.get('DOCKER-USER')!.unshift('-i eth0 -j DROP'),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(harm, fc.boolean()), { maxLength: 8 }), (harms) => {
        const table = makeTable(withDocker())
        establish(table, rules)
        for (const [harming, isOther] of harms) {
          harming(table.table)
          if (isOther) establish(table, rulesFor(others, wishes))
          const foreignRules = () =>
            [...table.table].flatMap(([name, lines]) => lines.filter((line) => !`${name} ${line}`.includes(own)))
          const before = foreignRules()
          establish(table, rules)
          expect(standIn(rules, table.save())).toBe(true)
          expect(foreignRules()).toEqual(before)
          // The other agent's are where they were told to be, if they were.
          if (isOther) expect(table.table.get('INPUT')!.some((line) => line.includes(foreign))).toBe(true)
        }
      }),
    )
  })

  it('is left as it is by two agents that take turns', () => {
    const table = makeTable(withDocker())
    const theirs = rulesFor(others, wishes)
    establish(table, rules)
    establish(table, theirs)
    const before = table.save()
    for (const one of [rules, theirs, rules, theirs]) establish(table, one)
    const hooks = (saved: string) => saved.split('\n').filter((line) => /^-A (INPUT|DOCKER-USER)/.test(line))
    expect(hooks(table.save())).toEqual(hooks(before))
  })
})
