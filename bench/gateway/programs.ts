import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pickPorts } from '../../cli/services/state-file.ts'
import { planControlPlane } from '../../tests/support/stack-parts.ts'
import { type MeasuredProcess, startMeasured } from '../measured-process.ts'
import type { startServices } from '../services.ts'

const root = resolve(import.meta.dirname, '../..')
const program = join(root, 'dist/cli/main.js')
const peers = join(import.meta.dirname, 'peers')

/** One of the things that are compared: where it is asked, and whose processors' time it takes. */
export interface Contender {
  name: string
  address: string
  processes: MeasuredProcess[]
}

/** The others' packages, which nothing but this bench needs. */
const installPeers = (): void => {
  if (existsSync(join(import.meta.dirname, 'node_modules'))) return
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: import.meta.dirname, stdio: 'inherit' })
}

/** Starts ours, in one process and in many, and the others before the very same subgraphs. */
export const startContenders = async (
  services: Awaited<ReturnType<typeof startServices>>,
  token: string,
  closing: (() => Promise<unknown>)[],
): Promise<Contender[]> => {
  installPeers()
  const internalKey = randomBytes(32).toString('base64url')
  const objectsDir = join(services.dir, 'objects')
  const settings = { ...services, environment: 'bench', adminToken: token, internalKey, objectsDir }
  const start = async (name: string, of: Parameters<typeof startMeasured>[0]): Promise<MeasuredProcess> => {
    const started = await startMeasured({ ...of, log: join(services.dir, `${name}.log`) })
    closing.push(started.stop)
    return started
  }
  const ours = async (topology: 'one' | 'many') => {
    const plane = await planControlPlane(topology, settings)
    const started = new Map<string, MeasuredProcess>()
    for (const { name, words, env, readyUrl } of plane.programs) {
      if (name === 'processor') continue // nobody waits for it
      const whole = { ...env, HOME: services.dir, NODE_ENV: 'production', LOG_LEVEL: 'warn' }
      const options = { program, args: words, env: whole, ready: readyUrl, log: '', profile: undefined }
      started.set(name, await start(`${topology}-${name}`, options))
    }
    return { plane, started }
  }
  const many = await ours('many')
  const subgraphs = Object.keys(many.plane.subgraphs).map((name) => many.started.get(name)!)
  const one = await ours('one')
  const supergraph = join(services.dir, 'supergraph.graphql')
  writeFileSync(supergraph, addressed(many.plane.subgraphs))
  const peer = async (name: string): Promise<Contender> => {
    const [port] = await pickPorts(1)
    const address = `http://127.0.0.1:${port}`
    const env = { PORT: String(port), TOKEN: token, SUPERGRAPH: supergraph, INTERNAL_KEY: internalKey, NODE_ENV: 'production' }
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const ready = () =>
      fetch(`${address}/graphql`, { method: 'POST', headers, body: '{"query":"{ __typename }"}' }).then(({ ok }) => ok)
    const gateway = await start(name, { program: join(peers, `${name}.mjs`), env, ready, log: '', profile: undefined })
    return { name: names[name]!, address, processes: [gateway, ...subgraphs] }
  }
  return [
    { name: 'ManMan, one process', address: one.plane.address, processes: [...one.started.values()] },
    { name: 'ManMan, many processes', address: many.plane.address, processes: [many.started.get('gateway')!, ...subgraphs] },
    await peer('hive'),
    await peer('apollo'),
  ]
}

const names: Record<string, string> = { hive: '@graphql-hive/gateway-runtime', apollo: '@apollo/gateway' }

/** The release's supergraph, with the addresses of these subgraphs. */
const addressed = (subgraphs: Record<string, string>): string => {
  const text = readFileSync(join(root, 'schema/supergraph.graphql'), 'utf8')
  return text.replace(/@join__graph\(name: "(\w+)", url: "[^"]*"\)/g, (whole, name: string) =>
    subgraphs[name] ? `@join__graph(name: "${name}", url: "${subgraphs[name]}")` : whole,
  )
}
