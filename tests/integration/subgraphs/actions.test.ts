import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Unavailable } from '../../../lib/domain/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { makeScriptedHost, type ScriptedHost } from './scripted-host.ts'
import { type Answer, openStage, type Stage } from './stage.ts'
import { makeWorld } from './world.ts'

let stage: Stage
let world: ReturnType<typeof makeWorld>
let host: ScriptedHost
let sessionId: string
let deploymentId: string
const heard: { input: string; actor: string }[] = []

const config = {
  parameters: [
    { name: 'MOTD', type: 'STRING', default: 'welcome' },
    { name: 'RCON', type: 'SECRET' },
  ],
  actions: [
    { name: 'say', label: 'Say', template: 'say {{text}} ({{MOTD}})', inputs: [{ name: 'text', type: 'STRING', max: 20 }] },
    { name: 'save', label: 'Save', template: 'save-all', confirm: 'Now?' },
  ],
}

beforeAll(async () => {
  stage = await openStage()
  world = makeWorld(stage)
  const session = await world.session({ status: 'RUNNING' }, config)
  sessionId = session.id
  deploymentId = session.deploymentId
  host = makeScriptedHost(stage, session.serverId, sessionId)
  host.onInput(async ({ input, actor }) => {
    heard.push({ input, actor })
    return { writtenAt: '2026-01-31T12:00:00.000Z' }
  })
  await host.start()
})
afterAll(async () => {
  await host.stop()
  await stage.close()
})

const actions = async (): Promise<Record<string, string>> => {
  const { serverGameConfig } = await stage.run(
    'configs',
    'query ($id: ID!) { serverGameConfig(id: $id) { actions { id name label template confirm inputs { name type max required } } } }',
    { id: deploymentId },
  )
  return Object.fromEntries(serverGameConfig.actions.map(({ name, id }: Answer) => [name, id]))
}
const run = async (actionId: string, values?: object): Promise<Answer> =>
  (
    await stage.run(
      'sessions',
      `mutation ($input: RunActionInput!) { runAction(input: $input) {
        __typename ... on SendInputPayload { sessionId writtenAt } ... on Error { code message }
        ... on InvalidInputError { issues { path } } } }`,
      { input: { sessionId, actionId, values } },
    )
  ).runAction
const runs = async (): Promise<Answer[]> =>
  (
    await stage.run(
      'sessions',
      'query ($id: ID!) { session(id: $id) { actionRuns { nodes { name values line actor writtenAt error } } } }',
      {
        id: sessionId,
      },
    )
  ).session.actionRuns.nodes

describe('an action', () => {
  it('is typed filled in, and recorded with who ran it', async () => {
    const { say } = await actions()
    const done = await eventually(
      async () => {
        const answer = await run(say!, { text: 'hi all' })
        return answer.__typename === 'SendInputPayload' && answer
      },
      { what: 'the subgraph reaches the host' },
    )
    expect(done).toMatchObject({ sessionId, writtenAt: '2026-01-31T12:00:00.000Z' })
    expect(heard.at(-1)).toEqual({ input: 'say hi all (welcome)', actor: 'tester' })
    expect((await runs()).at(-1)).toEqual({
      name: 'say',
      values: { text: 'hi all' },
      line: 'say hi all (welcome)',
      actor: 'tester',
      writtenAt: '2026-01-31T12:00:00.000Z',
      error: null,
    })
  })

  it('with a wrong value types nothing', async () => {
    const { say } = await actions()
    const before = heard.length
    expect(await run(say!, { text: 'a\nstop' })).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path: 'values.text' }] })
    expect(await run(say!, { text: 'a; stop' })).toMatchObject({ code: 'INVALID_INPUT' })
    expect(await run(say!, { other: 1 })).toMatchObject({ issues: [{ path: 'values.other' }, { path: 'values.text' }] })
    expect(await run('x')).toMatchObject({ code: 'NOT_FOUND' })
    expect(heard.length).toBe(before)
  })

  it('that the host could not type is recorded as that', async () => {
    host.onInput(async () => {
      throw new Unavailable('The console is closed.')
    })
    const { save } = await actions()
    expect(await run(save!)).toMatchObject({ code: 'UNAVAILABLE' })
    expect((await runs()).at(-1)).toMatchObject({ name: 'save', writtenAt: null, error: 'The console is closed.' })
  })

  it('of a deployment counts before that of its config; one that is kept keeps its id', async () => {
    const before = await actions()
    const update = async (input: object): Promise<Answer> =>
      (
        await stage.run(
          'configs',
          `mutation ($id: ID!, $input: UpdateServerGameConfigInput!) { updateServerGameConfig(id: $id, input: $input) {
            __typename ... on InvalidInputError { issues { path message } } } }`,
          { id: deploymentId, input },
        )
      ).updateServerGameConfig
    expect(await update({ actions: [{ name: 'say', label: 'Say here', template: 'tell {{RCON}}' }] })).toMatchObject({
      issues: [{ path: 'actions.0.template' }],
    })
    await update({ actions: [{ name: 'say', label: 'Say here', template: 'broadcast' }] })
    const own = await actions()
    expect(own.save).toBe(before.save)
    expect(own.say).not.toBe(before.say)
    await update({ actions: [{ name: 'say', label: 'Again', template: 'broadcast x' }] })
    expect(await actions()).toEqual(own)
    await update({ actions: null })
    expect(await actions()).toEqual(before)
  })
})

describe('who changed what', () => {
  it('is told with what was before and after, and without secrets', async () => {
    const text = `mutation ($id: ID!, $input: UpdateServerGameConfigInput!) { updateServerGameConfig(id: $id, input: $input) { __typename } }`
    await stage.run('configs', text, {
      id: deploymentId,
      input: { name: 'renamed', parameters: { RCON: 'hunter2hunter2', MOTD: 'bye' } },
    })
    await stage.run('configs', text, { id: deploymentId, input: {} })
    const { serverGameConfig } = await stage.run(
      'configs',
      'query ($id: ID!) { serverGameConfig(id: $id) { changes(last: 1) { nodes { action actor before after } } gameConfig { changes { nodes { action after } } game { changes { nodes { action } } } } } }',
      { id: deploymentId },
    )
    expect(serverGameConfig.changes.nodes).toEqual([
      {
        action: 'UPDATED',
        actor: 'tester',
        before: expect.objectContaining({ parameters: {}, secrets: [] }),
        after: { name: 'renamed', parameters: { MOTD: 'bye' }, secrets: ['RCON'] },
      },
    ])
    expect(JSON.stringify(serverGameConfig)).not.toContain('hunter2')
    expect(serverGameConfig.gameConfig.changes.nodes).toMatchObject([{ action: 'CREATED', after: { image: 'game:1' } }])
    expect(serverGameConfig.gameConfig.game.changes.nodes).toEqual([{ action: 'CREATED' }])
  })

  it('makes a live session run behind, until the next one', async () => {
    const behind = async (id: string): Promise<boolean | null> =>
      (
        await stage.run(
          'sessions',
          'query ($r: [_Any!]!) { _entities(representations: $r) { ... on ServerGameConfig { behind } } }',
          {
            r: [{ __typename: 'ServerGameConfig', id }],
          },
        )
      )._entities[0].behind
    const { deploymentId: other } = await world.session({ status: 'RUNNING' })
    expect(await behind(other)).toBe(false)
    expect(await behind(deploymentId)).toBe(true)
    const { id } = await world.deployment()
    expect(await behind(id)).toBeNull()
  })
})
