import { existsSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import type { Home } from '../home.ts'
import type { Progress } from '../progress.ts'

/** What a person does next: where the door is, where the token is, and one query that works when pasted. */
export const showWelcome = (
  progress: Progress,
  options: {
    home: Home
    env: NodeJS.ProcessEnv
    address: string
    /** Of the door, for other machines; undefined when they are not let in. */
    publicAddress: string | undefined
    startedAt: number
    hasDocker: boolean
  },
): void => {
  const { home, address } = options
  const token = describeToken(options.env, home)
  const bold = (text: string): string => progress.paint(1, text)
  const lines = [
    '',
    `  ${bold('ManMan is up')} after ${((Date.now() - options.startedAt) / 1000).toFixed(1)} s.`,
    '',
    `  Address       ${bold(`${address}/graphql`)}   (HTTP and WebSocket; a browser gets GraphiQL)`,
    `  Admin token   ${bold(token.place)}   (send it as \`Authorization: Bearer …\`)`,
    `  Logs          ${shortest(home.log('*'))}`,
    ...(options.publicAddress
      ? [`  Machines      join with \`manman host --join ${options.publicAddress} --token T\`, where registerServer gives T`]
      : []),
    '',
    '  Paste this:',
    '',
    ...firstQuery(address, token.shell).map((line) => `  ${line}`),
    '',
    ...(options.hasDocker
      ? []
      : [progress.paint(33, '  Games can start once Docker is there; it is looked for all the time.'), '']),
    `  Ctrl-C stops ManMan. Games go on running, and the next start finds them again.`,
    '',
  ]
  for (const line of lines) progress.note(line)
}

/** Where the administrator's token is, and how a shell gets it. */
const describeToken = (env: NodeJS.ProcessEnv, home: Home): { place: string; shell: string } => {
  if (env.MANMAN_ADMIN_TOKEN) return { place: 'the one in MANMAN_ADMIN_TOKEN', shell: '$MANMAN_ADMIN_TOKEN' }
  const file = shortest(env.MANMAN_ADMIN_TOKEN_FILE || home.adminTokenFile)
  return { place: file, shell: `$(cat ${quote(file)})` }
}

/** Relative to where the person is, unless that leads outside. */
const shortest = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

const query = '{ servers { nodes { name status capacity { cpus dockerVersion } } } }'

/** With curl, or with the one program that is surely here: a fresh Debian has no curl. */
const firstQuery = (address: string, token: string): string[] =>
  isOnPath('curl')
    ? [
        `curl -s ${address}/graphql -H "Authorization: Bearer ${token}" \\`,
        `  -H 'Content-Type: application/json' -d '{"query":"${query}"}'`,
      ]
    : [
        `node -e 'fetch("${address}/graphql", { method: "POST", body: JSON.stringify({ query: "${query}" }),`,
        `  headers: { "content-type": "application/json", authorization: "Bearer '${token}'" } })`,
        "  .then((answer) => answer.text()).then(console.log)'",
      ]

/** As one word of a shell's. */
const quote = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`)

const isOnPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, program)))
