import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { openGraphiql } from '../support/graphiql.ts'
import { type GraphqlClient, makeGraphqlClient } from '../support/graphql-client.ts'
import { run } from '../support/images/docker-cli.ts'
import { makeNewcomer } from '../support/newcomer.ts'
import { makeTour } from '../support/readme.ts'

const installLimitMs = 240_000
/** Where to look at the page that was seen, should somebody want to. */
const screenshot = join(tmpdir(), 'manman-graphiql.png')

const joinGame = (port: number) => {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let heard = ''
  socket.on('data', (text) => (heard += text))
  return {
    guess: (number: number) => socket.write(`${number}\n`),
    hears: (text: string) => eventually(() => heard.includes(text), { what: `"${text}" for the player, who heard ${heard}` }),
    leave: () => socket.destroy(),
  }
}

const containerOf = (sessionId: string): Promise<string> =>
  run('docker', ['ps', '--no-trunc', '--format', '{{.ID}}', '--filter', `label=manman.session_id=${sessionId}`])

describe('with a fresh clone and the README', () => {
  const ending: (() => unknown)[] = []
  const tour = makeTour()
  let newcomer: Awaited<ReturnType<typeof makeNewcomer>>
  let client: GraphqlClient
  let door: { address: string; token: string; pasted: string }
  const ask = (operation: string) => client.run<Record<string, unknown>, never>(operation)

  beforeAll(async () => {
    newcomer = await makeNewcomer()
    ending.push(newcomer.close)
    door = await newcomer.start(installLimitMs)
    client = makeGraphqlClient({ url: door.address, token: door.token })
    ending.push(client.close)
  }, installLimitMs)
  afterAll(async () => {
    for (const end of ending.reverse()) await end()
  })

  it('npm start prints a command that answers when pasted', async () => {
    expect(await newcomer.shell(door.pasted)).toContain('"ONLINE"')
  })

  it('one plays, watches and talks to a game, leaves it running and finds it again', async () => {
    await newcomer.shell('npm run example')
    const { deployGameConfig } = await tour.followUntil('sessionLogs', ask)
    const watch = tour.next()
    const page = await openGraphiql(door.address)
    ending.push(page.close)
    await page.pasteHeaders(`{ "Authorization": "Bearer ${door.token}" }`)
    await page.run('{ servers { nodes { name status } } }')
    await page.shows('ONLINE')
    await page.run(watch)
    await page.shows('Ready: guess a number')
    await tour.follow(firstEvent)

    const { portBindings } = deployGameConfig as { portBindings: { hostPort: number }[] }
    const player = joinGame(portBindings[0]!.hostPort)
    await player.hears('Guess my number')
    await tour.followUntil('stopSession', ask)
    await page.shows('[server] hello, players')
    await player.hears('hello, players')
    await page.screenshot(screenshot)
    expect(page.elsewhere).toEqual([])

    const container = await containerOf(tour.idOf('SESSION'))
    expect(await newcomer.interrupt()).toContain('1 game goes on running')
    expect(await containerOf(tour.idOf('SESSION'))).toBe(container)
    player.guess(0)
    await player.hears('higher')

    await newcomer.start(60_000)
    await page.run(watch)
    await page.shows('guesses 0')
    expect(await containerOf(tour.idOf('SESSION'))).toBe(container)
    player.leave()

    await tour.follow(ask)
    const isOver = async () => JSON.stringify(await ask(tour.next())).includes('STOPPED')
    await eventually(isOver, { what: 'the end of the game' })
    await tour.follow(ask)
    expect(await tour.follow(ask)).toMatchObject({ importPreset: { game: { name: 'OpenTTD' } } })
    await newcomer.interrupt()
  })

  const firstEvent = async (operation: string): Promise<Record<string, unknown>> => {
    for await (const event of client.subscribe<Record<string, unknown>, Record<string, never>>(operation, {})) return event
    throw new Error('the subscription ended')
  }
})
