import { describe, expect, inject, it } from 'vitest'
import { joinMinecraft } from '../support/minecraft-player.ts'
import { ok } from '../support/ok.ts'
import * as operations from '../support/operations.ts'
import { addConfig, deployConfig } from '../support/play.ts'
import { askArmagetron, askBzflag, askGame, askTeeworlds, joinFreeciv } from '../support/queries.ts'
import { useStack } from '../support/use-stack.ts'

describe('games that nobody here wrote', () => {
  const { stack, play } = useStack({ topology: 'one' })
  const { minecraft } = inject('games')

  /** A preset's config as it is, with values for its parameters, on ports that the platform picks. */
  const deployPreset = async (name: string, parameters: Record<string, unknown>) => {
    const { importPreset } = await stack().client.run(operations.importPreset, { input: { name } })
    return deployGame(ok(importPreset, 'GameConfig').id, parameters)
  }
  const deployGame = async (gameConfigId: string, parameters: Record<string, unknown>) => {
    const deployment = await deployConfig(stack(), gameConfigId, { parameters, restartPolicy: { mode: 'NEVER' } })
    return { ...deployment, port: deployment.portBindings[0]!.hostPort }
  }

  it('OpenTTD: logs to stderr, answers its console, saves when it is stopped and goes on from there', async () => {
    const game = await deployPreset('openttd', { SERVER_NAME: 'Lines & Co. #1', PASSWORD: 'open sesame', MAP_X: 7, MAP_Y: 6 })
    const first = await play(game)
    await first.ready()
    const answer = await askGame('openttd', game.port)
    expect(answer).toMatchObject({ name: 'Lines & Co. #1', maxplayers: 25, password: true })
    expect(answer.raw).toMatchObject({ map_width: 128, map_height: 64, landscape: 'temperate' })
    await first.act('date')
    expect(await first.logs.line(/^System Date: /)).toMatchObject({ stream: 'STDOUT' })
    expect(await first.logs.line(/Map generated/)).toMatchObject({ stream: 'STDERR' })
    await first.stop()
    expect(await first.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
    expect(first.logs.texts('INPUT')).toEqual(['getsysdate', 'quit'])

    const second = await play(game)
    await second.ready()
    expect(second.logs.texts().join('\n')).not.toContain('Map generation percentage')
    expect((await askGame('openttd', game.port)).raw).toMatchObject({ map_width: 128 })
    await second.stop()
    expect(await second.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
  })

  it('Armagetron: answers its console, and ends by a word', async () => {
    const game = await deployPreset('armagetron', { SERVER_NAME: 'Lights on a grid', MAX_CLIENTS: 5 })
    const session = await play(game)
    await session.ready()
    expect(await askArmagetron(game.port)).toMatchObject({ name: 'Lights on a grid', maxplayers: 5 })
    await session.act('players')
    await session.logs.line(/Listed 0 players/)
    await session.act('say', { text: 'hello' })
    await session.logs.line(/Admin: hello/)
    await session.stop()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
    expect(session.logs.texts('INPUT')).toEqual(['PLAYERS', 'SAY hello', 'QUIT'])
  })

  it('BZFlag: ends by a signal', async () => {
    const game = await deployPreset('bzflag', {
      MAX_PLAYERS: 7,
      SHOTS: 4,
      ADMIN_PASSWORD: 'correct horse',
      WELCOME: 'To you "all"',
    })
    const session = await play(game)
    await session.ready()
    expect(await askBzflag(game.port)).toEqual({ version: 'BZFS0221', maxPlayers: 7, maxShots: 4 })
    await session.stop()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
    expect(session.logs.texts('INPUT')).toEqual([])
  })

  it('Freeciv: takes its rules from a file, and players', async () => {
    const game = await deployPreset('freeciv', { SERVER_NAME: 'Old & new', MAX_PLAYERS: 9 })
    const session = await play(game)
    await session.ready()
    expect(await joinFreeciv(game.port, 'alex')).toContain('Welcome to the Freeciv version 3.0')
    await session.logs.line(/alex has connected/)
    await session.type('show maxplayers')
    await session.logs.line(/maxplayers.* 9 /)
    await session.stop()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
    expect(session.logs.texts('INPUT')).toEqual(['show maxplayers', 'quit'])
  })

  it('Teeworlds: ends by a signal, with the exit code of one', async () => {
    const game = await deployPreset('teeworlds', { SERVER_NAME: 'Tees # 1', MAP: 'ctf5', GAME_TYPE: 'ctf' })
    const session = await play(game)
    await session.ready()
    expect(await askTeeworlds(game.port)).toMatchObject({ name: 'Tees # 1', map: 'ctf5', mode: 'CTF' })
    await session.stop()
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 143, endReason: 'REQUESTED' })
  })

  it('Minecraft: is joined by a player, who hears what an operator says', async () => {
    const { gameConfigId } = await addConfig(stack(), {
      image: minecraft,
      ports: [{ name: 'game', containerPort: 25565, protocol: 'TCP' }],
      volumePath: '/data',
      parameters: [
        { name: 'MOTD', type: 'STRING', default: 'A Minecraft server' },
        { name: 'SLOTS', type: 'INT', min: 1, max: 100, default: '20' },
        { name: 'DIFFICULTY', type: 'ENUM', options: ['peaceful', 'easy', 'normal', 'hard'], default: 'easy' },
      ],
      files: [
        {
          path: 'server.properties',
          strategy: 'PROPERTIES',
          content: 'motd={{MOTD}}\nmax-players={{SLOTS}}\ndifficulty={{DIFFICULTY}}\n',
        },
      ],
      stop: { kind: 'STDIN', value: 'stop', graceSeconds: 20 },
      readyPattern: '^(> )?Done! ',
      actions: [
        {
          name: 'say',
          label: 'Say to all',
          template: 'say {{message}}',
          inputs: [{ name: 'message', type: 'STRING', required: true }],
        },
      ],
    })
    const game = await deployGame(gameConfigId, { MOTD: 'Dig = here: #1', SLOTS: 7, DIFFICULTY: 'hard' })
    const session = await play(game)
    await session.ready()
    expect(await askGame('minecraft', game.port)).toMatchObject({ name: 'Dig = here: #1', maxplayers: 7, numplayers: 0 })

    const player = await joinMinecraft(game.port, 'Alex')
    try {
      expect(player).toMatchObject({ maxPlayers: 7, difficulty: 'hard' })
      await session.logs.line(/Alex .* connected/)
      await session.act('say', { message: 'the tunnel is open' })
      await player.hears('the tunnel is open')
      expect(await askGame('minecraft', game.port)).toMatchObject({ numplayers: 1 })
      await session.stop()
      await player.thrownOut()
    } finally {
      player.leave()
    }
    expect(await session.ended()).toMatchObject({ status: 'STOPPED', exitCode: 0, endReason: 'REQUESTED' })
    expect(session.logs.texts('INPUT')).toEqual(['say the tunnel is open', 'stop'])
  })
})
