import { relative } from 'node:path'
import type { Home } from '../home.ts'
import type { Progress } from '../progress.ts'

/** What a person does next: where the door is, where the token is, and one query that works when pasted. */
export const showWelcome = (
  progress: Progress,
  options: { home: Home; address: string; startedAt: number; hasDocker: boolean },
): void => {
  const { home, address } = options
  const tokenFile = shortest(home.adminTokenFile)
  const bold = (text: string): string => progress.paint(1, text)
  const query = '{ servers(first: 5) { edges { node { name status capacity { cpus dockerVersion } } } } }'
  const lines = [
    '',
    `  ${bold('ManMan is up')} after ${((Date.now() - options.startedAt) / 1000).toFixed(1)} s.`,
    '',
    `  Address       ${bold(`${address}/graphql`)}   (HTTP and WebSocket; a browser gets GraphiQL)`,
    `  Admin token   ${bold(tokenFile)}   (send it as \`Authorization: Bearer …\`)`,
    `  Logs          ${shortest(home.log('*'))}`,
    '',
    '  Paste this:',
    '',
    `  curl -s ${address}/graphql -H "Authorization: Bearer $(cat ${tokenFile})" \\`,
    `    -H 'Content-Type: application/json' -d '{"query":"${query}"}'`,
    '',
    ...(options.hasDocker
      ? []
      : [progress.paint(33, '  Games can start once Docker is there; it is looked for all the time.'), '']),
    `  Ctrl-C stops ManMan. Games go on running, and the next start finds them again.`,
    '',
  ]
  for (const line of lines) progress.note(line)
}

/** Relative to where the person is, unless that leads outside. */
const shortest = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}
