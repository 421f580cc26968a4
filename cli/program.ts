import { Argument, Command } from 'commander'
import { type Running, runProcess } from '../lib/process/run.ts'
import { addDlq } from './dlq.ts'
import { addEgg } from './egg.ts'
import { type MigrateWord, migrate } from './migrate.ts'
import { endWithParent, tellParent, waitForParent } from './parent.ts'
import { addPresets } from './presets.ts'
import type { Handover } from './progress.ts'

/**
 * Runs one `manman` command. Each loads only its own part, so that none pays for the others. `handover` comes from the
 * bootstrap; without it (`dist/cli/main.js`, as in a container image) every command works but `up`.
 */
export const run = async (argv: readonly string[], handover?: Handover): Promise<void> => {
  const program = new Command('manman').description('Game servers on many machines').showHelpAfterError()
  addUp(program, handover)
  addMigrate(program)
  addDeployables(program)
  addDlq(program)
  addPresets(program)
  addEgg(program)
  await program.parseAsync([...argv])
}

const addUp = (program: Command, handover: Handover | undefined): void => {
  program
    .command('up')
    .description('everything on this machine: PostgreSQL, RabbitMQ, control plane and host agent (as `npm start` does)')
    .action(async () => {
      if (!handover) return program.error('`up` sets things up first: run it as `npm start`, or `node cli/bootstrap.mjs up`')
      const { up } = await import('./up/up.ts')
      await up(handover)
    })
}

const addMigrate = (program: Command): void => {
  program
    .command('migrate')
    .description('moves the database at DATABASE_URL, or the built-in one, between versions')
    .addArgument(
      new Argument('<what>', 'up, down (everything!), steps N, version, force N').choices([
        'up',
        'down',
        'steps',
        'version',
        'force',
      ]),
    )
    .argument('[number]')
    .allowUnknownOption() // `steps -1` is a number, not an option
    .action(async (word: MigrateWord, number: string | undefined) => {
      try {
        await migrate(word, number, process.env)
      } catch (error) {
        process.stderr.write(`${(error as Error).message}\n`)
        process.exitCode = 1
      }
    })
}

/** Runs a deployable as this process, for a person, a service manager or `up`. */
const deploy = (start: (env: NodeJS.ProcessEnv) => Promise<Running & { address?: string }>): Promise<void> => {
  endWithParent()
  return runProcess(async (env) => {
    const running = await start(env)
    tellParent({ kind: 'ready', address: running.address })
    return running
  })
}

const addDeployables = (program: Command): void => {
  program
    .command('gateway')
    .description('the door alone, in front of remote subgraphs')
    .action(() => deploy(async (env) => (await import('../gateway/app.ts')).startGateway({ env })))
  program
    .command('subgraph')
    .description('one subgraph alone')
    .argument('<name>', 'servers, configs, sessions, backups or accounts')
    .action((name: string) =>
      deploy(async (env) => (await import('../subgraphs/app.ts')).startSubgraph({ env: { ...env, SUBGRAPH: name } })),
    )
  program
    .command('processor')
    .description('outbox relay, statuses, heartbeats and sweeps alone')
    .action(() => deploy(async (env) => (await import('../processor/app.ts')).startProcessor({ env })))
  program
    .command('host')
    .description("this machine's agent: the only part that talks to Docker")
    .option('--join <url>', 'the door of the fleet to join; needed once, as is the token that registerServer gave')
    .option('--token <token>', 'the enrolment token')
    .action((options: { join?: string; token?: string }) =>
      deploy(async (env) => (await import('../host/app.ts')).startHost({ env: joining(env, options), say })),
    )
  program.command('control-plane', { hidden: true }).action(() =>
    deploy(async (env) => {
      const { startControlPlane } = await import('./control-plane.ts')
      await waitForParent()
      return startControlPlane({ env })
    }),
  )
}

/** For a person who watches; the log, on stdout, has it as well. */
const say = (line: string): void => void process.stderr.write(`${line}\n`)

const joining = (env: NodeJS.ProcessEnv, options: { join?: string; token?: string }): NodeJS.ProcessEnv => ({
  ...env,
  ...(options.join && { MANMAN_JOIN_URL: options.join }),
  ...(options.token && { MANMAN_JOIN_TOKEN: options.token }),
})
