import type { Command } from 'commander'

/** `manman egg`: eggs of Pterodactyl and Pelican. */
export const addEgg = (program: Command): void => {
  program
    .command('egg')
    .description('eggs of Pterodactyl and Pelican')
    .command('import')
    .description('makes game configs of eggs; asks the door of the control plane')
    .argument('<path...>', 'egg files, or directories of them')
    .option('--url <url>', 'the door', process.env.MANMAN_URL ?? 'http://127.0.0.1:4000')
    .option('--token-file <file>', 'a file that holds a token (MANMAN_TOKEN holds one itself)')
    .option('--game <id>', 'the game they are for; otherwise each is named after its egg')
    .action(async (paths: string[], options: { url: string; tokenFile?: string; game?: string }) => {
      const { importEggs } = await import('./eggs/import.ts')
      try {
        const failed = await importEggs(paths, { ...options, env: process.env })
        if (failed > 0) process.exitCode = 1
      } catch (error) {
        process.stderr.write(`${(error as Error).message}\n`)
        process.exitCode = 1
      }
    })
}
