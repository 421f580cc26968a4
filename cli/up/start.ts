import { renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openMigrator } from '../../lib/db/migrate.ts'
import { readMigrations } from '../../lib/db/migrations.ts'
import { type Home, readAdminToken } from '../home.ts'
import type { Progress } from '../progress.ts'
import { root } from '../root.ts'
import { pingDocker } from '../services/docker.ts'
import { enrolledServerId, makeAsk, registerLocal, serverOf, waitForOnline } from './door.ts'
import { environments, type Parts } from './parts.ts'
import { keepAlive, keepLogsBounded } from './watch.ts'

const onlineLimitMs = 60_000

export interface Start {
  parts: Parts
  home: Home
  env: NodeJS.ProcessEnv
  progress: Progress
  /** The administrator's token where the environment sets it; else the one kept in the home. */
  adminToken: string | undefined
  /** Hears that a child was started. */
  changed: () => void
}

/**
 * Starts everything, side by side as far as one does not need the other; Docker alone may be missing. Resolves once the
 * machine is ONLINE. Rejects with the first thing that can't be had.
 */
export const startInOrder = async (start: Start): Promise<{ address: string; hasDocker: boolean }> => {
  const { parts, progress } = start
  // RabbitMQ takes longest by far, so it goes first; the control plane loads its code while PostgreSQL starts.
  const rabbit = progress.step('RabbitMQ', async (relabel) => relabel(describe(parts.rabbit, await parts.rabbit.start())))
  const docker = startDocker(start)
  const door = startDoor(start)
  const [address] = await Promise.all([door, rabbit])
  await startHost(start, address) // it waits for Docker by itself
  return { address, hasDocker: await docker }
}

const describe = ({ name, url }: { name: string; url: string }, origin: string): string =>
  `${name} at ${new URL(url).host}${origin === 'started' ? '' : origin === 'adopted' ? ', found running' : ', given by the environment'}`

const startDoor = async ({ parts, home, env, progress, changed }: Start): Promise<string> => {
  const database = progress.step('PostgreSQL', async (relabel) => {
    const where = describe(parts.postgres, await parts.postgres.start())
    relabel(where)
    const migrator = await openMigrator({ url: parts.postgres.url, migrations: readMigrations(join(root, 'migrations')) })
    const version = await migrator.up().finally(() => migrator.close())
    relabel(`${where}, migrated to ${version}`)
  })
  return progress.step('control plane', async (relabel) => {
    const started = parts.controlPlane.start(environments(parts, home, env).controlPlane, database)
    changed()
    const { address } = await started
    relabel(`control plane at ${reachable(address!)}`)
    return reachable(address!)
  })
}

/** An address that listens everywhere, as one that can be opened. */
const reachable = (address: string): string => address.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')

/** Without Docker the rest still runs. */
const startDocker = ({ parts, progress }: Start): Promise<boolean> =>
  progress
    .step('Docker engine', async (relabel) => {
      const origin = await parts.docker.start()
      relabel(origin === 'started' ? 'Docker engine, started in the background' : 'Docker engine')
    })
    .then(
      () => true,
      (error: Error) => {
        progress.note(`    ${error.message}`)
        return false
      },
    )

/** Starts the host agent, which joins by a token of its own when this machine is not in the fleet yet. */
const startHost = async (start: Start, address: string): Promise<void> => {
  const { parts, home, env, progress, changed } = start
  const ask = makeAsk(address, start.adminToken ?? readAdminToken(home))
  await progress.step('host agent', async (relabel) => {
    const known = enrolledServerId(home.hostDir)
    if (known && (await serverOf(ask, known)) === null) {
      // Another database than the one it enrolled with: kept aside, should the old one come back.
      renameSync(join(home.hostDir, 'identity.json'), join(home.hostDir, `identity.${known}.json`))
    }
    const joining = enrolledServerId(home.hostDir) ? {} : await joinVariables(ask, address)
    const started = parts.host.start({ ...environments(parts, home, env).host, ...joining })
    changed()
    await started
    relabel(`host agent: this machine is the Server \`${await waitForOnline(ask, home.hostDir, onlineLimitMs)}\`, ONLINE`)
  })
}

const joinVariables = async (ask: ReturnType<typeof makeAsk>, address: string) => ({
  MANMAN_JOIN_URL: address,
  MANMAN_JOIN_TOKEN: (await registerLocal(ask)).token,
})

/** Brings back what dies while we run, and a Docker that was missing. */
export const watchParts = (
  { parts, home }: Start,
  options: { hasDocker: boolean; signal: AbortSignal; report: (line: string) => void },
): void => {
  const docker = {
    name: 'Docker engine',
    isAlive: async () => (await pingDocker(parts.docker.socket)) === 'ok',
    start: parts.docker.start,
  }
  void keepLogsBounded(dirname(home.log('any')), options.signal)
  void keepAlive(parts.postgres, options)
  void keepAlive(parts.rabbit, options)
  void keepAlive(docker, { ...options, wasAlive: options.hasDocker })
}
