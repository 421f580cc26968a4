import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../../lib/process/new-id.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
let world: ReturnType<typeof makeWorld>
beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
})
afterAll(() => stage.close())

const shown = `__typename
  ... on Schedule { id name cron timeZone enabled missed nextRuns(count: 2) deployment { id } lastRun { id }
    steps { kind onFailure line seconds warnings { secondsBefore line } } }
  ... on InvalidInputError { issues { path message } }
  ... on Error { code message }`
const create = async (input: object): Promise<Answer> =>
  (await stage.run('backups', `mutation ($input: ScheduleInput!) { createSchedule(input: $input) { ${shown} } }`, { input }))
    .createSchedule
const update = async (id: string, input: object): Promise<Answer> =>
  (
    await stage.run(
      'backups',
      `mutation ($id: ID!, $input: ScheduleInput!) { updateSchedule(id: $id, input: $input) { ${shown} } }`,
      { id, input },
    )
  ).updateSchedule
const act = async (field: string, id: string, answer: string): Promise<Answer> =>
  (
    await stage.run('backups', `mutation ($id: ID!) { ${field}(id: $id) { __typename ${answer} ... on Error { message } } }`, {
      id,
    })
  )[field]
const run = (id: string) => act('runSchedule', id, '... on ScheduleRun { id status manual startedBy steps { kind status } }')
const nightly = { name: 'nightly', cron: '30 4 * * *', timeZone: 'Europe/Berlin', steps: [{ kind: 'BACKUP' }] }

describe('a schedule', () => {
  it('is kept with its steps, and shows when it comes', async () => {
    const { id } = await world.deployment()
    const warnings = [
      { secondsBefore: 10, line: 'say soon' },
      { secondsBefore: 60, line: 'say in a minute' },
    ]
    const steps = [
      { kind: 'RESTART', warnings },
      { kind: 'WAIT', seconds: 5, onFailure: 'CONTINUE' },
    ]
    const made = await create({ ...nightly, serverGameConfigId: id, steps })
    expect(made).toMatchObject({ name: 'nightly', enabled: true, missed: 'SKIP', deployment: { id }, lastRun: null })
    expect(made.steps).toMatchObject([
      { kind: 'RESTART', onFailure: 'STOP', warnings: warnings.toReversed() },
      { kind: 'WAIT', onFailure: 'CONTINUE', seconds: 5 },
    ])
    expect(made.nextRuns.map((at: string) => new Date(at).toLocaleTimeString('de', { timeZone: 'Europe/Berlin' }))).toEqual(
      Array(2).fill('04:30:00'),
    )
    const read = await stage.run(
      'backups',
      `query ($id: ID!, $deployment: ID!) { schedule(id: $id) { name } schedules(serverGameConfigId: $deployment) { nodes { id } } }`,
      { id: made.id, deployment: id },
    )
    expect(read).toEqual({ schedule: { name: 'nightly' }, schedules: { nodes: [{ id: made.id }] } })
  })

  it('is refused with every fault at once', async () => {
    const { id } = await world.deployment()
    const faulty = {
      serverGameConfigId: id,
      name: ' ',
      cron: '61 * * * *',
      timeZone: 'Mars/Base',
      steps: [
        { kind: 'COMMAND', line: 'two\nlines' },
        { kind: 'START', seconds: 5 },
        { kind: 'WAIT', seconds: 100_000 },
        { kind: 'ACTION', actionId: newId(), values: [] },
        { kind: 'RESTART', warnings: [{ secondsBefore: 0, line: 'say' }] },
      ],
    }
    const { issues } = await create(faulty)
    expect(issues.map(({ path }: { path: string }) => path).toSorted()).toEqual([
      'cron',
      'name',
      'steps.0.line',
      'steps.1.seconds',
      'steps.2.seconds',
      'steps.3.actionId',
      'steps.3.values',
      'steps.4.warnings.0.secondsBefore',
      'timeZone',
    ])
    const missing = await create({ serverGameConfigId: id })
    expect(missing.issues.map(({ path }: { path: string }) => path)).toEqual(['name', 'cron', 'steps'])
    expect((await create({ ...nightly, serverGameConfigId: id, cron: '0 0 31 2 *' })).issues).toEqual([
      { path: 'cron', message: 'names no time that will come' },
    ])
    expect(await create({ ...nightly, serverGameConfigId: newId() })).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('runs the actions that its deployment knows', async () => {
    const { id } = await world.deployment({ actions: [{ name: 'save', label: 'Save', template: 'save-all' }] })
    const { serverGameConfig } = await stage.run('configs', `query ($id: ID!) { serverGameConfig(id: $id) { actions { id } } }`, {
      id,
    })
    const [{ id: actionId }] = serverGameConfig.actions
    const made = await create({ ...nightly, serverGameConfigId: id, steps: [{ kind: 'ACTION', actionId }] })
    expect(made.__typename).toBe('Schedule')
  })

  it('changes in what is given, and is due no more while it is disabled', async () => {
    const { id } = await world.deployment()
    const made = await create({ ...nightly, serverGameConfigId: id })
    expect(await update(made.id, { name: 'morning' })).toMatchObject({ name: 'morning', nextRuns: made.nextRuns })
    expect(await update(made.id, { enabled: false })).toMatchObject({ enabled: false, nextRuns: [] })
    expect(await update(made.id, { enabled: true, cron: null })).toMatchObject({ cron: made.cron, nextRuns: made.nextRuns })
    const moved = await update(made.id, { timeZone: 'UTC' })
    expect(moved.nextRuns).not.toEqual(made.nextRuns)
    expect((await update(made.id, { serverGameConfigId: newId() })).issues).toMatchObject([{ path: 'serverGameConfigId' }])
  })

  it('is run by hand, one run at a time', async () => {
    const { id } = await world.deployment()
    const made = await create({ ...nightly, serverGameConfigId: id, enabled: false })
    const first = await run(made.id)
    expect(first).toMatchObject({
      status: 'RUNNING',
      manual: true,
      startedBy: 'tester',
      steps: [{ kind: 'BACKUP', status: 'PENDING' }],
    })
    expect(await run(made.id)).toMatchObject({ __typename: 'ConflictError' })
    const { schedule } = await stage.run(
      'backups',
      `query ($id: ID!) { schedule(id: $id) { lastRun { id } runs(last: 5) { nodes { id } } } }`,
      { id: made.id },
    )
    expect(schedule).toEqual({ lastRun: { id: first.id }, runs: { nodes: [{ id: first.id }] } })
  })

  it('is deleted by itself, and with its deployment', async () => {
    const { id } = await world.deployment()
    const [one, two] = [
      await create({ ...nightly, serverGameConfigId: id }),
      await create({ ...nightly, serverGameConfigId: id }),
    ]
    const gone = () => act('deleteSchedule', one.id, '... on DeletePayload { id }')
    expect(await gone()).toMatchObject({ id: one.id })
    expect(await gone()).toMatchObject({ id: one.id })
    expect(await run(one.id)).toMatchObject({ __typename: 'NotFoundError' })
    await stage.run('configs', `mutation ($id: ID!) { deleteServerGameConfig(id: $id) { __typename } }`, { id })
    const { schedule } = await stage.run('backups', `query ($id: ID!) { schedule(id: $id) { deletedAt nextRuns } }`, {
      id: two.id,
    })
    expect(schedule).toEqual({ deletedAt: expect.any(String), nextRuns: [] })
  })

  it('is one of 50 at most', async () => {
    const { id } = await world.deployment()
    const made = await Promise.all(Array.from({ length: 51 }, () => create({ ...nightly, serverGameConfigId: id })))
    expect(made.filter(({ __typename }) => __typename === 'Schedule')).toHaveLength(50)
    expect(made.find(({ __typename }) => __typename === 'ConflictError')?.message).toContain('50')
  })
})

describe('transferDeployment', () => {
  const transfer = async (serverGameConfigId: string, toServerId: string): Promise<Answer> =>
    (
      await stage.run(
        'backups',
        `mutation ($input: TransferDeploymentInput!) { transferDeployment(input: $input) { __typename
          ... on ServerGameConfig { id transfer { id status step from { id } to { id } backup { id } error } } ... on Error { message } } }`,
        { input: { serverGameConfigId, toServerId } },
      )
    ).transferDeployment

  it('begins a move that is shown with the deployment', async () => {
    const { id, serverId } = await world.deployment()
    const target = await world.server()
    expect(await transfer(id, target)).toMatchObject({
      __typename: 'UnavailableError',
      message: expect.stringContaining('OFFLINE'),
    })
    await world.setServer(target, { status: 'ONLINE' })
    const moved = await transfer(id, target)
    expect(moved).toMatchObject({
      id,
      transfer: { status: 'RUNNING', step: 'PLACING', from: { id: serverId }, to: { id: target }, backup: null, error: null },
    })
    expect(await transfer(id, target)).toMatchObject({ __typename: 'ConflictError' })
    const read = await stage.run('backups', `query ($id: ID!) { transfer(id: $id) { deployment { id } } }`, {
      id: moved.transfer.id,
    })
    expect(read.transfer.deployment.id).toBe(id)
    // Nobody starts a session meanwhile.
    expect(await world.start({ serverGameConfigId: id })).toMatchObject({ __typename: 'ConflictError' })
  })

  it('stops what runs first', async () => {
    const { deploymentId } = await world.session({ status: 'RUNNING', started_at: new Date() })
    const target = await world.server()
    await world.setServer(target, { status: 'ONLINE' })
    expect(await transfer(deploymentId, target)).toMatchObject({ transfer: { step: 'STOPPING' } })
  })

  it('keeps the ports of a move as they are', async () => {
    const serverId = await world.server()
    await world.setServer(serverId, { status: 'ONLINE' })
    const ports = [{ name: 'game', containerPort: 25_565, protocol: 'TCP' }]
    const { id } = await world.deploy({ serverId, gameConfigId: await world.config({ ports }) })
    const target = await world.server()
    await world.setServer(target, { status: 'ONLINE' })
    const { transfer: begun } = await transfer(id, target)
    const row = {
      server_id: target,
      server_game_config_id: id,
      name: 'game',
      container_port: 25_565,
      port: 21_000,
      protocol: 'TCP',
    }
    await stage.db
      .insertInto('configs.server_ports')
      .values({ ...row, address: '0.0.0.0/0', outgoing: true, held_for: begun.id })
      .execute()
    const rebind = (input: object) =>
      stage.run(
        'configs',
        `mutation ($id: ID!, $input: UpdateServerGameConfigInput!) { updateServerGameConfig(id: $id, input: $input) {
          __typename ... on ServerGameConfig { name } ... on Error { message } } }`,
        { id, input },
      )
    const { updateServerGameConfig: refused } = await rebind({ portBindings: [{ name: 'game', hostPort: 21_500 }] })
    expect(refused).toMatchObject({ __typename: 'ConflictError', message: expect.stringContaining('being moved') })
    const { updateServerGameConfig: renamed } = await rebind({ name: 'on its way' })
    expect(renamed).toEqual({ __typename: 'ServerGameConfig', name: 'on its way' })
  })
})
