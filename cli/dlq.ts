import { type Command, Option } from 'commander'
import type { DeadLetterAccess } from './dlq/access.ts'

/** `manman dlq`: messages that nobody could read or apply. */
export const addDlq = (program: Command): void => {
  const dlq = program.command('dlq').description('messages that could not be read or applied, and were kept with the reason')
  const json = new Option('--json', 'as JSON, for programs')
  const all = new Option('--all', 'all of them')

  dlq
    .command('list')
    .description('all of them, the oldest first')
    .addOption(json)
    .action((options: { json?: true }) =>
      using(async (access) => (await import('./dlq/read.ts')).list(access, options.json ?? false)),
    )
  dlq
    .command('show')
    .description('one of them, whole')
    .argument('<id>')
    .addOption(json)
    .action((id: string, options: { json?: true }) =>
      using(async (access) => (await import('./dlq/read.ts')).show(access, id, options.json ?? false)),
    )
  dlq
    .command('retry')
    .description('sends it to the queue it came from once more, and removes it here once that is confirmed')
    .argument('[id]')
    .addOption(all)
    .action((id: string | undefined, options: { all?: true }) =>
      using(async (access) => (await import('./dlq/act.ts')).retry(access, id, options.all ?? false)),
    )
  dlq
    .command('drop')
    .description('removes it for good')
    .argument('[id]')
    .addOption(all)
    .option('--yes', 'without asking')
    .action((id: string | undefined, options: { all?: true; yes?: true }) =>
      using(async (access) => (await import('./dlq/act.ts')).drop(access, id, options.all ?? false, options.yes ?? false)),
    )
}

/** What a person can put right is one line, and exit code 1. */
const using = async (work: (access: DeadLetterAccess) => Promise<void>): Promise<void> => {
  const { openDeadLetters } = await import('./dlq/access.ts')
  try {
    const access = await openDeadLetters(process.env)
    await work(access).finally(access.close)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
