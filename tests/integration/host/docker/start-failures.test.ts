import dgram from 'node:dgram'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ImageUnavailable, StartFailure } from '../../../../host/docker/errors.ts'
import { findTakenPort, readListeners } from '../../../../host/docker/ports-in-use.ts'
import { socketOwner } from '../../../../host/docker/socket-owner.ts'
import { eventually } from '../../../support/eventually.ts'
import { freePort, portOf } from './ports.ts'
import { openSandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
beforeAll(async () => {
  box = await openSandbox()
})
afterAll(() => box.close())

describe('a start that can not work', () => {
  const failure = (work: Promise<unknown>): Promise<StartFailure> =>
    work.then(
      () => expect.fail('it worked'),
      (error) => error,
    )

  it.each([
    [{ command: ['/bin/missing'] }, /no program \/bin\/missing/],
    [{ entrypoint: ['missing'] }, /no program missing/],
    [{ command: ['/bin/not-executable'] }, /not-executable is not executable/],
    [{ command: ['./here'], workingDir: '/nowhere' }, /no program .\/here/],
    [{ user: 'nobody-here' }, /user nobody-here/],
    [{ volumePath: 'relative' }, /mount/],
    [{ capabilities: ['NO_SUCH'] }, /NO_SUCH/],
    [{ resources: { memoryMb: 1, cpus: null, pids: null } }, /memory/i],
  ])('says that %j is the fault, and leaves no container', async (spec, words) => {
    const error = await failure(box.game(spec))
    expect(error).toBeInstanceOf(StartFailure)
    expect(error.reason).toBe('BAD_CONFIG')
    expect(error.message).toMatch(words)
  })

  it('says that the image is not here', async () => {
    const error = await box.game({ image: 'manman-test/never-built:1' }).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(ImageUnavailable)
  })

  it.each(['TCP', 'UDP'] as const)(
    'names the %s port that another program on the machine has, before and by trying',
    async (protocol) => {
      const port = portOf(0, protocol)
      const close = await new Promise<() => void>((resolve) => {
        if (protocol === 'TCP') {
          const server = net.createServer().listen(0, '127.0.0.1', () => {
            port.hostPort = (server.address() as net.AddressInfo).port
            resolve(() => server.close())
          })
        } else {
          const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => {
            port.hostPort = socket.address().port
            resolve(() => socket.close())
          })
        }
      })
      const taken = findTakenPort([port], await readListeners())
      expect(taken?.port).toEqual(port)
      expect(await socketOwner(taken?.listener.inode ?? 0)).toMatchObject({ pid: process.pid })
      const game = await box.game({ ports: [port] }, { start: false })
      const error = await failure(box.docker.containers.start(game.id, game.spec.ports))
      expect(error).toMatchObject({ reason: 'PORT_TAKEN' })
      expect(error.message).toContain(`Port ${port.hostPort}/${protocol} (game)`)
      close()
      await eventually(
        () =>
          box.docker.containers.start(game.id, game.spec.ports).then(
            () => true,
            () => false,
          ),
        { what: 'it starts then' },
      )
    },
  )

  it('names the port that another container has', async () => {
    const ports = [portOf(await freePort())]
    await box.game({ ports })
    const second = await box.game({ ports }, { start: false })
    const error = await failure(box.docker.containers.start(second.id, ports))
    expect(error.message).toContain(`Port ${ports[0]!.hostPort}/TCP (game)`)
  })
})
