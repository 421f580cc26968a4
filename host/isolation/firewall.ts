import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { z } from 'zod'
import { Unavailable } from '../../lib/domain/errors.ts'
import { hasDocker, type Rules, removalText, restoreText, rulesFor, rulesForIpv6, standIn } from './rules.ts'

const targetSchema = z.object({ network: z.string(), port: z.number().nullable() })

/** What is to be done with one agent's part of the machine's firewall. */
export const firewallTaskSchema = z.object({
  /** See `bridgePrefix`. */
  bridges: z.string(),
  /** Null takes all of its rules away. */
  wishes: z.object({ allow: z.array(targetSchema), deny: z.array(targetSchema) }).nullable(),
})
export type FirewallTask = z.infer<typeof firewallTaskSchema>

/** Whether anything had to be put right. */
export interface FirewallOutcome {
  changed: boolean
}

/** Before the outcome in what the helper writes. */
export const outcomeMark = 'outcome '

const limitMs = 20_000
/** Docker changes the same tables; each waits for the other. */
const lockSeconds = '10'

/**
 * Carries out the task in this process's network, which must be the machine's, and makes sure of it. Throws `Unavailable` that
 * says what is in the way.
 */
export const setFirewall = async ({ bridges, wishes }: FirewallTask): Promise<FirewallOutcome> => {
  const variant = await findVariant()
  if (wishes === null) {
    for (const tool of await toolsOf(variant)) await remove(tool, bridges)
    return { changed: true }
  }
  const nameservers = await readNameservers()
  let changed = false
  for (const tool of await toolsOf(variant)) {
    const rules = tool.startsWith('ip6') ? rulesForIpv6(bridges) : rulesFor(bridges, { ...wishes, nameservers })
    changed = (await establish(tool, rules)) || changed
  }
  return { changed }
}

/** Written each time, as they may stand there otherwise than they should: a replacement at once disturbs nothing. */
const establish = async (tool: string, rules: Rules): Promise<boolean> => {
  const before = await save(tool)
  await restore(tool, restoreText(rules, before))
  if (!standIn(rules, await save(tool))) throw new Unavailable(`The rules do not stay in the machine's firewall (${tool}).`)
  return !standIn(rules, before)
}

const remove = async (tool: string, bridges: string): Promise<void> => {
  const text = removalText(bridges, await save(tool))
  if (text !== null) await restore(tool, text)
}

const save = (tool: string): Promise<string> => run(`${tool}-save`, ['-t', 'filter'])
const restore = (tool: string, text: string): Promise<string> =>
  run(`${tool}-restore`, ['--wait', lockSeconds, '--noflush'], text)

/** Of the two ways iptables has into the kernel, the one that Docker uses: rules of the other are not in its chains. */
const findVariant = async (): Promise<string> => {
  const faults: string[] = []
  for (const variant of ['', '-nft', '-legacy']) {
    try {
      if (hasDocker(await save(`iptables${variant}`))) return variant
      faults.push("Docker's chain DOCKER-USER is not in the firewall: Docker is down, or keeps no rules there")
    } catch (error) {
      faults.push((error as Error).message)
    }
  }
  throw new Unavailable(`${[...new Set(faults)].join('; ')}.`)
}

const toolsOf = async (variant: string): Promise<string[]> => [
  `iptables${variant}`,
  ...((await readOrEmpty('/proc/net/if_inet6')) === '' ? [] : [`ip6tables${variant}`]),
]

const readOrEmpty = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return ''
  })

/** systemd-resolved puts itself into the first, where Docker then takes the second. */
const resolverFiles = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']

const readNameservers = async (): Promise<string[]> => {
  const texts = await Promise.all(resolverFiles.map(readOrEmpty))
  return texts
    .flatMap((text) => [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address]) => address!))
    .filter((address) => isIPv4(address) && !address.startsWith('127.'))
}

const run = (program: string, args: readonly string[], input = ''): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin' }
    const child = execFile(program, args, { timeout: limitMs, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error) reject(new Unavailable(describe(program, error, stderr), { cause: error }))
      else resolve(stdout)
    })
    // It ends before it has read all: its own words say why.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })

const describe = (program: string, error: Error & { code?: unknown; killed?: boolean }, stderr: string): string => {
  if (error.code === 'ENOENT') return `there is no ${program}`
  if (error.killed) return `${program} did not end within ${limitMs / 1000} s`
  return `${program}: ${stderr.trim().split('\n')[0] || error.message}`
}
