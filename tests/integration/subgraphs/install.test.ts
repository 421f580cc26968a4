import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { finishSession } from '../../../lib/db/session-life.ts'
import { inTransaction } from '../../../lib/db/transaction.ts'
import { commandSchema } from '../../../lib/messages/commands.ts'
import { eventSchemas } from '../../../lib/messages/events.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
let world: ReturnType<typeof makeWorld>
beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

const config = {
  install: { image: 'installer:1', script: 'echo "{{not a template}}"', capabilities: ['CHOWN'], timeoutSeconds: 60 },
  envTemplate: { SLOTS: '{{SLOTS}}' },
  parameters: [{ name: 'SLOTS', type: 'INT', default: '8' }],
  ports: [{ name: 'game', containerPort: 1, protocol: 'TCP' }],
  readyPattern: 'ready',
  tty: true,
}
const sessionsOf = (deploymentId: string) =>
  stage.db.selectFrom('sessions.sessions').selectAll().where('server_game_config_id', '=', deploymentId).orderBy('id').execute()
const startsOf = async (serverId: string) => {
  const rows = await stage.db
    .selectFrom('outbox.messages')
    .select('body')
    .where('lane', '=', `host.${serverId}`)
    .orderBy('position')
    .execute()
  return rows.map(({ body }) => commandSchema.parse(body)).flatMap((one) => (one.kind === 'session.start' ? [one] : []))
}
const eventsOf = async (sessionId: string): Promise<Answer[]> => {
  const rows = await stage.db.selectFrom('outbox.messages').select('body').execute()
  return rows.map(({ body }) => body as Answer).filter((body) => body.sessionId === sessionId && body.kind in eventSchemas)
}
/** As the processor does on the host's last report. */
const end = async (
  { id, server_id: serverId, server_game_config_id: serverGameConfigId }: Awaited<ReturnType<typeof sessionsOf>>[number],
  set: { status: string; end_reason: string; exit_code: number },
): Promise<void> =>
  inTransaction(stage.db, async (tx) => {
    await tx
      .updateTable('sessions.sessions')
      .set({ ...set, ended_at: new Date() })
      .where('id', '=', id)
      .execute()
    await finishSession(tx, { id, serverId, serverGameConfigId }, new Date())
  })
const done = { status: 'STOPPED', end_reason: 'EXITED', exit_code: 0 }
const failed = { status: 'CRASHED', end_reason: 'CRASHED', exit_code: 3 }
const reinstall = async (id: string): Promise<Answer> =>
  (
    await stage.run(
      'sessions',
      `mutation ($id: ID!) { reinstallDeployment(id: $id) {
        __typename ... on ServerGameConfig { id install { id kind status } } ... on Error { code message } } }`,
      { id },
    )
  ).reinstallDeployment
const statusOf = async (id: string): Promise<string> =>
  (await stage.run('configs', 'query ($id: ID!) { serverGameConfig(id: $id) { status } }', { id })).serverGameConfig.status

describe('the install step', () => {
  it('comes before the first start, which waits for it', async () => {
    const { id, serverId } = await world.deployment(config)
    const game = await world.start({ serverGameConfigId: id })
    expect(game.status).toBe('PENDING')
    const [install, waiting] = await sessionsOf(id)
    expect(install).toMatchObject({ kind: 'INSTALL', status: 'PENDING', waits_for: null })
    expect(waiting).toMatchObject({ id: game.id, kind: 'GAME', waits_for: install!.id })
    expect(await statusOf(id)).toBe('INSTALLING')
    const [command, ...others] = await startsOf(serverId)
    expect(others).toEqual([])
    expect(command).toMatchObject({
      sessionId: install!.id,
      restartPolicy: { mode: 'NEVER' },
      spec: {
        image: 'installer:1',
        entrypoint: ['/bin/sh', '-ec'],
        command: ['echo "{{not a template}}"'],
        env: { SLOTS: '8' },
        volumePath: '/mnt/server',
        capabilities: ['CHOWN'],
        ports: [],
        tty: false,
        readyPattern: null,
        timeoutSeconds: 60,
        stop: { kind: 'SIGNAL', value: 'SIGTERM' },
      },
    })
    await end(install!, done)
    const starts = await startsOf(serverId)
    expect(starts.map(({ sessionId }) => sessionId)).toEqual([install!.id, game.id])
    expect(starts[1]).toMatchObject({
      restartPolicy: { mode: 'ON_FAILURE' },
      spec: { image: 'game:1', volumePath: '/data/game' },
    })
    expect(await statusOf(id)).toBe('ACTIVE')
    expect(await eventsOf(install!.id)).toEqual([])
  })

  it('is done once: the next start does without', async () => {
    const { id, serverId } = await world.deployment(config)
    await world.start({ serverGameConfigId: id })
    const [install, game] = await sessionsOf(id)
    await end(install!, done)
    await end(game!, done)
    await world.start({ serverGameConfigId: id })
    expect((await startsOf(serverId)).map(({ spec }) => spec.image)).toEqual(['installer:1', 'game:1', 'game:1'])
  })

  it('that fails says so, locks nothing, and is tried again by the next start', async () => {
    const { id, serverId } = await world.deployment(config)
    const game = await world.start({ serverGameConfigId: id })
    const [install] = await sessionsOf(id)
    await end(install!, failed)
    const waited = (await sessionsOf(id)).find((one) => one.id === game.id)
    expect(waited).toMatchObject({ status: 'FAILED', end_reason: 'INSTALL_FAILED' })
    expect(waited!.end_message).toContain(install!.id)
    expect(await eventsOf(install!.id)).toMatchObject([{ kind: 'install.failed', exitCode: 3, endReason: 'CRASHED' }])
    expect(await eventsOf(game.id)).toMatchObject([{ kind: 'session.failed', endReason: 'INSTALL_FAILED' }])
    expect(await statusOf(id)).toBe('ACTIVE')
    await world.start({ serverGameConfigId: id })
    expect((await startsOf(serverId)).map(({ spec }) => spec.image)).toEqual(['installer:1', 'installer:1'])
  })

  it('is done again when asked for, and never beside a session', async () => {
    const { id } = await world.deployment(config)
    const asked = await reinstall(id)
    expect(asked).toMatchObject({ id, install: { kind: 'INSTALL', status: 'PENDING' } })
    expect(await reinstall(id)).toMatchObject({ code: 'CONFLICT' })
    expect(await world.start({ serverGameConfigId: id })).toMatchObject({ code: 'CONFLICT' })
    const [first] = await sessionsOf(id)
    await end(first!, done)
    const game = await world.start({ serverGameConfigId: id })
    expect(await reinstall(id)).toMatchObject({ code: 'CONFLICT' })
    const [, running] = await sessionsOf(id)
    expect(running!.id).toBe(game.id)
    await end(running!, done)
    expect((await reinstall(id)).install.id).not.toBe(first!.id)
  })

  it('needs a config that has one', async () => {
    const { id } = await world.deployment()
    expect(await reinstall(id)).toMatchObject({ code: 'CONFLICT' })
    expect(await reinstall('x')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is cancelled with a stop, and with it what waits for it', async () => {
    const { id } = await world.deployment(config)
    await world.start({ serverGameConfigId: id })
    const [install] = await sessionsOf(id)
    const { stopSession } = await stage.run(
      'sessions',
      'mutation ($id: ID!) { stopSession(input: { sessionId: $id }) { ... on Session { status } ... on Error { code } } }',
      { id: install!.id },
    )
    expect(stopSession).toEqual({ status: 'STOPPING' })
    expect((await sessionsOf(id))[1]).toMatchObject({ status: 'STOPPED', end_reason: 'CANCELLED' })
    await end({ ...install! }, { status: 'STOPPED', end_reason: 'REQUESTED', exit_code: 143 })
    expect(await world.start({ serverGameConfigId: id })).toMatchObject({ status: 'PENDING' })
  })
})
