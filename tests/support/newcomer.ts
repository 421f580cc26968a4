import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pickPorts } from '../../cli/services/state-file.ts'
import { isInstalled } from './built.ts'
import { run } from './images/docker-cli.ts'
import { removeLeftovers } from './leftovers.ts'
import { openTerminal, type Terminal } from './terminal.ts'

const root = resolve(import.meta.dirname, '../..')

/** Settings of the developer and of the test runner, which a newcomer does not have. */
const ours = /^(VITEST|TEST_|MANMAN_|TINYPOOL|(NODE_ENV|DATABASE_URL|AMQP_URL|HOST)$)/

/** Somebody with a fresh clone of what is committed here, in a directory that only they can read, and a terminal. */
export const makeNewcomer = async () => {
  const environment = `newcomer-${randomBytes(4).toString('hex')}`
  const dir = await mkdtemp(join(tmpdir(), 'manman-newcomer-'))
  await run('git', ['clone', '--quiet', root, dir])
  // What `npm ci` would put there is here already: the setup of this very test run has put it there, by the same lock.
  if (await isInstalled()) await copyTree(join(root, 'node_modules'), join(dir, 'node_modules'))
  const [port] = await pickPorts(1)
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))),
    // A newcomer needs neither; here something else may run beside.
    PORT: String(port),
    MANMAN_ENV: environment,
    npm_config_prefer_offline: 'true',
  }
  let terminal: Terminal | undefined
  return {
    /** `npm start`, until it says that all is up. What it prints then is what one goes on with. */
    start: async (limitMs: number) => {
      terminal = openTerminal('npm start', { cwd: dir, env })
      await terminal.shows('Ctrl-C stops ManMan', limitMs)
      const screen = terminal.screen()
      return {
        address: find(screen, /Address\s+(http\S+)/),
        token: (await readFile(resolve(dir, find(screen, /Admin token\s+(\S+)/)), 'utf8')).trim(),
        /** The command to paste. */
        pasted: find(screen, /Paste this:\n+([\s\S]*?)\n\n/),
      }
    },
    /** Ctrl-C; answers all that the terminal has shown. */
    interrupt: async (): Promise<string> => {
      await terminal?.interrupt(30_000)
      return terminal?.screen() ?? ''
    },
    shell: (command: string): Promise<string> => run('sh', ['-c', `cd '${dir}' && ${command}`], env),
    close: async (): Promise<void> => {
      await terminal?.kill()
      await rm(dir, { recursive: true, force: true })
      await removeLeftovers(environment)
    },
  }
}

/** By hard links where both are on one file system. */
const copyTree = (from: string, to: string): Promise<unknown> =>
  run('cp', ['--archive', '--link', from, to]).catch(() => run('cp', ['--archive', '--no-target-directory', from, to]))

const find = (text: string, pattern: RegExp): string => {
  const match = pattern.exec(text)?.[1]
  if (!match) throw new Error(`no ${pattern} in\n${text}`)
  return match
}
