import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seal } from '../../../lib/crypto/sealed-box.ts'
import { registryContext } from '../../../lib/domain/images.ts'
import type { SessionReport } from '../../../lib/messages/statuses.ts'
import { type AgentHarness, makeAgentHarness } from '../../support/agent-harness.ts'
import { filesWith, formsOf } from '../../support/files-with.ts'
import { openPrivateRegistry, type PrivateRegistry } from '../../support/images/private-registry.ts'

let host: AgentHarness
let registry: PrivateRegistry

beforeAll(async () => {
  host = await makeAgentHarness()
  registry = await openPrivateRegistry()
  await host.startAgent()
})
afterAll(async () => {
  await host.close()
  await registry.close()
})

const authFor = (password: string, of: { publicKey?: string; registry?: string } = {}) => {
  const login = JSON.stringify({ username: registry.username, password })
  const sealed = seal(of.publicKey ?? host.publicKey, login, registryContext(of.registry ?? registry.host))
  return { registry: registry.host, sealed }
}

const start = async (
  image: string,
  registryAuth: { registry: string; sealed: string } | null,
  pullPolicy: 'IF_MISSING' | 'ALWAYS' = 'IF_MISSING',
): Promise<string> => {
  const command = { ...host.startCommand({ image, pullPolicy }), registryAuth }
  await host.peer.send(command)
  return command.sessionId
}
const endOf = async (sessionId: string): Promise<SessionReport> => {
  await host.peer.report(sessionId, 'RUNNING')
  await host.peer.send({ kind: 'session.kill', sessionId })
  return host.peer.report(sessionId, 'STOPPED')
}

describe('an image of a private registry', () => {
  it('is not had without a login, nor with a wrong one, and the session says so', async () => {
    const image = await registry.push(host.specOf().image, 'game:refused')
    for (const auth of [null, authFor('wrong')]) {
      const failed = await host.peer.report(await start(image, auth), 'FAILED')
      expect(failed).toMatchObject({ endReason: 'IMAGE_UNAVAILABLE' })
      expect(failed.endMessage).toContain(`Image ${image}: the registry refuses access`)
    }
  })

  it('says so when the login was sealed for another host, or for another registry', async () => {
    const image = await registry.push(host.specOf().image, 'game:sealed')
    const other = authFor(registry.password, { registry: 'ghcr.io' })
    const failed = await host.peer.report(await start(image, other), 'FAILED')
    expect(failed.endMessage).toContain(`the login for ${registry.host} can not be opened by this host`)
  })

  it('runs with the right login, which nothing on the machine has kept', async () => {
    const image = await registry.push(host.specOf().image, 'game:right')
    const sessionId = await start(image, authFor(registry.password))
    await host.peer.report(sessionId, 'RUNNING')
    await host.logHas(sessionId, `Pulled image ${image}.`)
    expect(await filesWith(host.dataDir, formsOf(registry.password))).toEqual([])
    await host.peer.send({ kind: 'session.kill', sessionId })
    await host.peer.report(sessionId, 'STOPPED')
  })

  it('is used as it is here while the registry is down', async () => {
    const image = await registry.push(host.specOf().image, 'game:kept')
    const auth = authFor(registry.password)
    await endOf(await start(image, auth))
    await registry.stop()
    await endOf(await start(image, auth))
    const asked = await start(image, auth, 'ALWAYS')
    await host.logHas(asked, 'Using the image that is here')
    await endOf(asked)
    const missing = await host.peer.report(await start(`${registry.host}/game:never`, auth), 'FAILED')
    expect(missing.endMessage).toContain('the registry can not be reached')
    await registry.start()
  })
})
