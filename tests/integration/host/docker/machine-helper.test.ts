import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDockerClients } from '../../../../host/docker/client.ts'
import { makeMachineHelper, ownContainerId } from '../../../../host/docker/machine-helper.ts'
import { run } from '../../../support/images/docker-cli.ts'
import { type Game, openSandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
/** Plays the agent's container: the helper is of its image. */
let agent: Game
beforeAll(async () => {
  box = await openSandbox()
  agent = await box.game()
})
afterAll(() => box.close())

const helperOf = (containerId: string) => {
  const clients = makeDockerClients({ socketPath: box.socketPath })
  const owner = { serverId: box.serverId, environment: 'test' }
  const helper = makeMachineHelper({ clients, owner, containerId })
  return { helper, name: `manman-test-${box.serverId}-firewall`, close: clients.close }
}
const shell = (script: string): string[] => ['/bin/sh', '-c', script]

it("runs on the machine's network, with the right to change it and nothing else, and is gone", async () => {
  const { helper, name, close } = helperOf(agent.id)
  const own = (await run('ls', ['/sys/class/net'])).split('\n').filter(Boolean)
  const seen = await helper(
    shell('grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status | busybox tr "\\t" " "; ls /sys/class/net'),
  )
  const rights = ((1 << 12) | (1 << 13)).toString(16).padStart(16, '0')
  expect(seen).toContain(`CapEff: ${rights}`)
  expect(seen).toContain(`CapBnd: ${rights}`)
  expect(seen).toContain('NoNewPrivs: 1')
  expect(own.filter((name) => !seen.includes(name) && name.startsWith('eth'))).toEqual([])
  expect(await helper(shell('touch /x 2>&1; ls /data/game 2>&1'))).toMatch(/Read-only[\s\S]*No such file/)
  expect(await run('docker', ['ps', '--all', '--quiet', '--filter', `name=${name}`])).toBe('')
  close()
})

it('is made although one of a killed agent is left', async () => {
  const { helper, name, close } = helperOf(agent.id)
  await run('docker', ['create', '--name', name, agent.spec.image, 'sleep', '1000'])
  expect((await helper(shell('echo here'))).trim()).toBe('here')
  close()
})

it('says what is in the way', async () => {
  const { helper, close } = helperOf(agent.id)
  await expect(helper(['/no-such-program'])).rejects.toThrow(/no-such-program/)
  const homeless = helperOf('0'.repeat(64))
  await expect(homeless.helper(shell('true'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  homeless.close()
  close()
})

it('knows the container it runs in by what Docker mounts there', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'mountinfo-'))
  const file = path.join(dir, 'mountinfo')
  const inside = await run('docker', ['exec', agent.id, 'cat', '/proc/self/mountinfo'])
  await writeFile(file, inside)
  expect(await ownContainerId(file)).toBe(agent.id)
  expect(await ownContainerId()).toBeNull()
  await rm(dir, { recursive: true })
})
