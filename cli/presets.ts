import type { Command } from 'commander'
import type { Preset } from '../lib/presets/shelf.ts'

/** `manman presets`: known games with configs that run them. */
export const addPresets = (program: Command): void => {
  program
    .command('presets')
    .description('known games, ready to be imported; with a name the YAML of one')
    .argument('[name]')
    .action(async (name: string | undefined) => {
      const { makeShelf } = await import('../lib/presets/shelf.ts')
      try {
        const shelf = makeShelf()
        if (name === undefined) console.log(await tableOf(shelf.list()))
        else process.stdout.write(shelf.get(name).yaml)
      } catch (error) {
        process.stderr.write(`${(error as Error).message}\n`)
        process.exitCode = 1
      }
    })
}

const tableOf = async (presets: readonly Preset[]): Promise<string> => {
  const { inColumns } = await import('./columns.ts')
  return inColumns([['NAME', 'GAME', 'IMAGE', 'PORTS', 'VERIFIED', 'SOURCE'], ...presets.map(rowOf)])
}

const rowOf = ({ name, game, config, verified, source }: Preset): string[] => [
  name,
  game.name,
  config.image,
  (config.ports ?? []).map(({ containerPort, protocol }) => `${containerPort}/${protocol.toLowerCase()}`).join(' ') || '-',
  verified ? 'yes' : 'no',
  source ? `${source.url} (${source.date})` : '-',
]
