import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { pickPorts } from '../../cli/services/state-file.ts'
import { eventually } from '../support/eventually.ts'
import { type Graphiql, openGraphiql } from '../support/graphiql.ts'
import { type GraphqlClient, makeGraphqlClient } from '../support/graphql-client.ts'
import { run } from '../support/images/docker-cli.ts'
import { removeLeftovers } from '../support/leftovers.ts'
import { generalise, readTour } from '../support/readme.ts'
import { openTerminal, type Terminal } from '../support/terminal.ts'

// A newcomer with a fresh clone: the README's commands in a terminal, its operations at the door, GraphiQL in a browser.

const root = resolve(import.meta.dirname, '../..')
const environment = 'first-steps'
const installLimitMs = 240_000

let clone: string
let env: NodeJS.ProcessEnv
let terminal: Terminal | undefined
let browser: Graphiql | undefined
let client: GraphqlClient | undefined

beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), 'manman-first-steps-'))
  await run('git', ['clone', '--quiet', root, clone])
  const [port] = await pickPorts(1)
  const foreign = /^(VITEST|TEST_|MANMAN_|NODE_ENV$|DATABASE_URL$|AMQP_URL$|TINYPOOL)/
  env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
    // Beside whatever runs on this machine already; a newcomer has neither.
    PORT: String(port),
    MANMAN_ENV: environment,
    npm_config_prefer_offline: 'true',
  }
})

afterAll(async () => {
  await client?.close()
  await browser?.close()
  await terminal?.kill()
  await removeLeftovers(environment)
  await rm(clone, { recursive: true, force: true })
})

const start = async (limitMs: number): Promise<{ ms: number; screen: string }> => {
  const startedAt = Date.now()
  terminal = openTerminal('npm start', { cwd: clone, env })
  await terminal.shows('Ctrl-C stops ManMan', limitMs)
  return { ms: Date.now() - startedAt, screen: terminal.screen() }
}

const found = (text: string, pattern: RegExp): string => {
  const match = pattern.exec(text)?.[1]
  if (!match) throw new Error(`no ${pattern} in\n${text}`)
  return match
}

/** The words in capitals of the README, and the ids that stand for them here. */
const ids = new Map<string, string>()
const named: Record<string, string> = {
  createGame: 'GAME',
  createGameConfig: 'CONFIG',
  deployGameConfig: 'DEPLOYMENT',
  startSession: 'SESSION',
}
const fillIn = (operation: string): string =>
  operation.replaceAll(/"([A-Z]+)"/g, (word, name) => (ids.has(name) ? `"${ids.get(name)}"` : word))

const remember = (data: Record<string, unknown>): void => {
  for (const [field, value] of Object.entries(data)) {
    const { id, nodes } = value as { id?: string; nodes?: { id: string }[] }
    if (named[field] && id) ids.set(named[field], id)
    if (field === 'servers') ids.set('SERVER', nodes![0]!.id)
  }
}

const follow = async (operation: string, shown: unknown): Promise<Record<string, unknown>> => {
  const data = await client!.run<Record<string, unknown>, never>(fillIn(operation))
  remember(data)
  if (shown !== undefined) expect(generalise(data)).toEqual(generalise((shown as { data: unknown }).data))
  return data
}

const container = async (): Promise<string> =>
  (
    await run('docker', ['ps', '--no-trunc', '--format', '{{.ID}}', '--filter', `label=manman.session_id=${ids.get('SESSION')}`])
  ).trim()

it(
  'the README leads from a fresh clone to a game one can play, watch and talk to, and find again',
  async () => {
    const { screen } = await start(installLimitMs)
    const address = found(screen, /Address\s+(http\S+)/)
    const token = (await run('cat', [join(clone, found(screen, /Admin token\s+(\S+)/))])).trim()
    const pasted = found(screen, /Paste this:\n+([\s\S]*?)\n\n/)
    expect(await run('sh', ['-c', `cd ${clone} && ${pasted}`])).toContain('"ONLINE"')

    await run('npm', ['run', 'example', '--prefix', clone], env)
    client = makeGraphqlClient({ url: address, token })
    browser = await openGraphiql(address)
    await browser.pasteHeaders(`{ "Authorization": "Bearer ${token}" }`)

    const tour = readTour()
    const isWatching = ({ operation }: { operation: string }) => operation.startsWith('subscription')
    const isLast = ({ operation }: { operation: string }) => operation.includes('stopSession')
    const watch = tour.findIndex(isWatching)
    const last = tour.findIndex(isLast)

    let binding: { hostPort: number } | undefined
    for (const { operation, shown } of tour.slice(0, watch)) {
      const data = await follow(operation, shown)
      const deployed = data.deployGameConfig as { portBindings: { hostPort: number }[] } | undefined
      binding = deployed?.portBindings[0] ?? binding
    }
    await browser.run('{ servers { nodes { name status } } }')
    await browser.shows('ONLINE')
    await browser.run(fillIn(tour[watch]!.operation))
    await browser.shows('Ready: guess a number')

    const player = connect(binding!.hostPort, '127.0.0.1').setEncoding('utf8')
    let heard = ''
    player.on('data', (text) => (heard += text))
    await eventually(() => heard.includes('Guess my number'), { what: 'a greeting for the player' })
    for (const { operation, shown } of tour.slice(watch + 1, last)) await follow(operation, shown)
    await browser.shows('[server] hello, players')
    await eventually(() => heard.includes('hello, players'), { what: 'the word of the operator' })
    await browser.screenshot(join(tmpdir(), 'manman-graphiql.png'))
    expect(browser.elsewhere).toEqual([])

    const before = await container()
    await terminal!.interrupt(30_000)
    expect(terminal!.screen()).toContain('1 game goes on running')
    expect(await container()).toBe(before)
    player.write('0\n')
    await eventually(() => heard.includes('higher'), { what: 'an answer while ManMan is away' })

    await start(60_000)
    const session = await client.run<{ session: { status: string } }, never>(fillIn('{ session(id: "SESSION") { status } }'))
    expect(session).toEqual({ session: { status: 'RUNNING' } })
    expect(await container()).toBe(before)
    await browser.run(fillIn(tour[watch]!.operation))
    await browser.shows('guesses 0')
    player.destroy()

    await follow(tour[last]!.operation, tour[last]!.shown)
    const ended = tour[last + 1]!
    await eventually(async () => JSON.stringify(await client!.run(fillIn(ended.operation))).includes('STOPPED'), {
      what: 'the end of the game',
    })
    await follow(ended.operation, ended.shown)
    await terminal!.interrupt(30_000)
  },
  installLimitMs + 120_000,
)
