import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seal } from '../../../lib/crypto/sealed-box.ts'
import type { SessionSpec } from '../../../lib/messages/session-spec.ts'
import { secretMark, secretsContext } from '../../../lib/parameters/secrets.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { eventually } from '../../support/eventually.ts'
import { filesWith, formsOf } from '../../support/files-with.ts'

let host: AgentHarness
beforeAll(async () => {
  host = await makeAgentHarness()
  await host.startAgent()
})
afterAll(() => host.close())

const secret = 'correct "horse" battery'
const marks = { nonce: '0123456789abcdef' }
/** What the control plane sends for a deployment with the secret RCON. */
const sealed = (serverGameConfigId: string): SessionSpec['secrets'] => ({
  ...marks,
  sealed: seal(host.publicKey, JSON.stringify({ RCON: secret }), secretsContext(serverGameConfigId)),
})
const begin = async (change: (serverGameConfigId: string) => Partial<SessionSpec>) => {
  const command = host.startCommand()
  const { sessionId, serverGameConfigId } = command
  await host.peer.send({ ...command, spec: host.specOf(change(serverGameConfigId)) })
  return { sessionId, volume: join(host.dataDir, `gsc-${command.environment}-${serverGameConfigId}`) }
}
const stop = async (sessionId: string): Promise<void> => {
  await host.peer.send({ kind: 'session.stop', sessionId })
  await host.peer.report(sessionId, 'STOPPED')
}

describe('a secret', () => {
  it('is in the game, in its files, and nowhere else', async () => {
    const { sessionId, volume } = await begin((id) => ({
      env: { RCON_PASSWORD: `x${secretMark(marks, 'RCON')}y` },
      secrets: sealed(id),
      files: [{ path: 'conf/server.properties', strategy: 'PROPERTIES', content: 'rcon={{RCON}}\nmotd={{MOTD}}\n' }],
      values: { MOTD: { text: 'a=b: c', kind: 'text' } },
    }))
    await host.logHas(sessionId, 'ready')
    expect(await readFile(join(volume, 'conf/server.properties'), 'utf8')).toContain(`rcon=${secret}`)
    await host.type(sessionId, 'sh echo "<$RCON_PASSWORD>"; cat /data/conf/server.properties')
    await host.logHas(sessionId, 'motd')
    const { texts } = await host.readLog(sessionId)
    expect(texts).toContain(`<x${'*'.repeat(secret.length)}y>`)
    expect(texts).toContain(`rcon=${'*'.repeat(secret.length)}`)
    await host.type(sessionId, `say the password is ${secret}`)
    await host.logHas(sessionId, '[chat] the password is ***')
    await stop(sessionId)
    expect(await filesWith(host.dataDir, formsOf(secret))).toEqual([expect.stringContaining('server.properties')])
  })

  it('is masked by an agent that was restarted, too', async () => {
    const { sessionId } = await begin((id) => ({ env: { RCON: secretMark(marks, 'RCON') }, secrets: sealed(id) }))
    await host.logHas(sessionId, 'ready')
    await host.stopAgent()
    await host.startAgent()
    await eventually(() => host.type(sessionId, 'sh echo "<$RCON>"').then(() => true), { what: 'the console is there' })
    await host.logHas(sessionId, `<${'*'.repeat(secret.length)}>`)
    await stop(sessionId)
  })

  it('that was sealed for another deployment starts nothing', async () => {
    const { sessionId } = await begin(() => ({ secrets: sealed('0190aaaa-0000-7000-8000-00000000000f') }))
    const report = await host.peer.report(sessionId, 'FAILED')
    expect(report).toMatchObject({ endReason: 'BAD_CONFIG', endMessage: expect.stringContaining('secrets can not be opened') })
  })
})

describe('the files of a game', () => {
  it('keep what the game wrote, and belong to it', async () => {
    const files = [{ path: 'server.properties', strategy: 'PROPERTIES' as const, content: 'motd={{MOTD}}\n' }]
    const values = { MOTD: { text: 'hello', kind: 'text' as const } }
    const command = host.startCommand({ files, values, user: '1234:1234' })
    const path = join(host.dataDir, `gsc-${command.environment}-${command.serverGameConfigId}`, 'server.properties')
    await host.peer.send(command)
    await host.logHas(command.sessionId, 'ready')
    await host.type(command.sessionId, 'sh echo "level-seed=7" >> /data/server.properties')
    await eventually(async () => (await readFile(path, 'utf8')).includes('level-seed'), { what: 'the game wrote into its file' })
    await stop(command.sessionId)
    const again = { ...host.startCommand({ files, values: { MOTD: { text: 'bye', kind: 'text' as const } }, user: '1234:1234' }) }
    await host.peer.send({ ...again, serverGameConfigId: command.serverGameConfigId })
    await host.logHas(again.sessionId, 'ready')
    expect(await readFile(path, 'utf8')).toBe('motd=bye\nlevel-seed=7\n')
    await stop(again.sessionId)
  })

  it('never lead out of the volume: the start says which', async () => {
    const command = host.startCommand({ files: [{ path: 'out/passwd', strategy: 'REPLACE', content: 'x' }] })
    const volume = join(host.dataDir, `gsc-${command.environment}-${command.serverGameConfigId}`)
    const first = host.startCommand({})
    await host.peer.send({ ...first, serverGameConfigId: command.serverGameConfigId })
    await host.logHas(first.sessionId, 'ready')
    await stop(first.sessionId)
    await symlink('/etc', join(volume, 'out'))
    await host.peer.send(command)
    const report = await host.peer.report(command.sessionId, 'FAILED')
    expect(report).toMatchObject({ endReason: 'BAD_CONFIG', endMessage: expect.stringContaining('out') })
  })
})

describe('a session that is to end by itself', () => {
  it('ends as it does when it is in time', async () => {
    const sessionId = await host.start({
      command: ['/bin/sh', '-c', 'echo installing; exit 0'],
      entrypoint: [],
      timeoutSeconds: 60,
    })
    expect(await host.peer.report(sessionId, 'STOPPED')).toMatchObject({ endReason: 'EXITED', exitCode: 0 })
  })

  it('is ended when it is not, and that is said', async () => {
    const sessionId = await host.start({ timeoutSeconds: 1 })
    const report = await host.peer.report(sessionId, 'CRASHED')
    expect(report).toMatchObject({ endReason: 'TIMEOUT', endMessage: 'It did not come to its end within 1 s and was killed.' })
  })
})
