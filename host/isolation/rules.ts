import type { Target } from './targets.ts'

/** What one agent's games are let through to and kept from, beyond what holds for all. */
export interface Wishes {
  allow: readonly Target[]
  deny: readonly Target[]
  /** IPv4 addresses that Docker asks for names on a game's behalf. */
  nameservers: readonly string[]
}

/** The chain of one hook, and all that stands in it, as `iptables-save` prints it. */
interface Chain {
  name: string
  rules: string[]
}

/** One agent's part of the table `filter`: what games send to the machine, and through it. */
export interface Rules {
  /** Begin of the names of its bridges. */
  bridges: string
  input: Chain
  forward: Chain
}

/** Clouds answer here with credentials of the machine. fd00:ec2::254 is no question: games have no IPv6. */
const metadata = ['169.254.0.0/16', '100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32']
/** Where the same clouds answer names (AWS, Google, Azure). */
const cloudResolvers = ['169.254.169.253', '169.254.169.254', '168.63.129.16']

// An answer at once, and not a game that waits for minutes.
const refuse = 'REJECT --reject-with icmp-port-unreachable'

const matches = ({ network, port }: Target): string[] =>
  port === null
    ? [`-d ${network}`]
    : ['tcp', 'udp'].map((protocol) => `-d ${network} -p ${protocol} -m ${protocol} --dport ${port}`)

const chainNames = (bridges: string): { input: string; forward: string } => {
  const key = bridges.slice(2)
  return { input: `MANMAN-${key}-IN`, forward: `MANMAN-${key}-FWD` }
}

/** The rules for IPv4. Pure, as all here. */
export const rulesFor = (bridges: string, { allow, deny, nameservers }: Wishes): Rules => {
  const dns = [...new Set([...nameservers, ...cloudResolvers])].map((address) => ({ network: `${address}/32`, port: 53 }))
  const names = chainNames(bridges)
  const passing = [
    // Answers to players, and to what the machine itself has begun.
    '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
    ...[...allow, ...dns].flatMap(matches).map((match) => `${match} -j RETURN`),
  ]
  const kept = [...metadata.map((network) => ({ network, port: null })), ...deny].flatMap(matches)
  return {
    bridges,
    input: { name: names.input, rules: [...passing, `-j ${refuse}`] },
    forward: {
      name: names.forward,
      rules: [
        ...passing,
        ...kept.map((match) => `${match} -j ${refuse}`),
        // Addressed to a published port of the machine, and led to another container.
        `-m conntrack --ctstate DNAT -j ${refuse}`,
      ],
    },
  }
}

/** The rules for IPv6, which games' networks do not have: nothing passes. */
export const rulesForIpv6 = (bridges: string): Rules => {
  const names = chainNames(bridges)
  return { bridges, input: { name: names.input, rules: ['-j DROP'] }, forward: { name: names.forward, rules: ['-j DROP'] } }
}

/** What Docker has before all of its own rules for what passes through the machine. */
export const dockersChain = 'DOCKER-USER'

/** Whether Docker keeps its rules in this table. */
export const hasDocker = (saved: string): boolean => linesOf(saved).includes(`-A FORWARD -j ${dockersChain}`)

const linesOf = (saved: string): string[] => saved.split('\n').map((line) => line.trim())

interface Hook {
  parent: string
  rule: string
}

const hooksOf = ({ bridges, input, forward }: Rules, saved: string): Hook[] => [
  { parent: 'INPUT', rule: `-i ${bridges}+ -j ${input.name}` },
  { parent: hasDocker(saved) ? dockersChain : 'FORWARD', rule: `-i ${bridges}+ -j ${forward.name}` },
]

const ours = /-j MANMAN-/

/** There once, and before any rule that is not another agent's: these only concern other bridges. */
const isFirst = ({ parent, rule }: Hook, saved: string): boolean => {
  const lines = linesOf(saved).filter((line) => line.startsWith(`-A ${parent} `))
  const foreign = lines.findIndex((line) => !ours.test(line))
  const own = lines.flatMap((line, at) => (line === `-A ${parent} ${rule}` ? [at] : []))
  return own.length === 1 && (foreign === -1 || own[0]! < foreign)
}

const isComplete = (chain: Chain, saved: string): boolean => {
  const lines = linesOf(saved)
  const has = lines.filter((line) => line.startsWith(`-A ${chain.name} `)).length
  return lines.some((line) => line.startsWith(`:${chain.name} `)) && has === chain.rules.length
}

/** Whether the rules stand in the saved table. Rules are counted, not compared: each version prints them a little differently. */
export const standIn = (rules: Rules, saved: string): boolean =>
  [rules.input, rules.forward].every((chain) => isComplete(chain, saved)) &&
  hooksOf(rules, saved).every((hook) => isFirst(hook, saved))

/** All jumps to the agent's chains, wherever they stand. */
const jumpsTo = (names: readonly string[], saved: string): string[] =>
  linesOf(saved).filter((line) => line.startsWith('-A ') && names.some((name) => line.endsWith(` -j ${name}`)))

const table = (lines: readonly string[]): string => ['*filter', ...lines, 'COMMIT', ''].join('\n')

const asDeletion = (line: string): string => line.replace(/^-A /, '-D ')

/** Makes the table have the rules, for `iptables-restore --noflush`: all of it at once, and what is others' untouched. */
export const restoreText = (rules: Rules, saved: string): string => {
  const chains = [rules.input, rules.forward]
  const hooks = hooksOf(rules, saved)
  const isHooked = hooks.every((hook) => isFirst(hook, saved))
  const jumps = jumpsTo(
    chains.map(({ name }) => name),
    saved,
  )
  return table([
    // Naming a chain makes it, or empties it.
    ...chains.map(({ name }) => `:${name} - [0:0]`),
    ...chains.flatMap(({ name, rules: lines }) => lines.map((line) => `-A ${name} ${line}`)),
    ...(isHooked ? [] : [...jumps.map(asDeletion), ...hooks.map(({ parent, rule }) => `-I ${parent} ${rule}`)]),
  ])
}

/** Takes all that an agent has in the table out of it; null when there is nothing. */
export const removalText = (bridges: string, saved: string): string | null => {
  const names = Object.values(chainNames(bridges)).filter((name) => linesOf(saved).some((line) => line.startsWith(`:${name} `)))
  if (names.length === 0) return null
  return table([
    ...jumpsTo(names, saved).map(asDeletion),
    ...names.map((name) => `-F ${name}`),
    ...names.map((name) => `-X ${name}`),
  ])
}
