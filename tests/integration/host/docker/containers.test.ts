import { readlink, stat, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asItIs } from '../../../support/bare-spec.ts'
import { eventually } from '../../../support/eventually.ts'
import { freePort, portOf } from './ports.ts'
import { type Game, openSandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
beforeAll(async () => {
  box = await openSandbox()
})
afterAll(() => box.close())

const type = async (game: Game, line: string): Promise<void> => {
  const input = box.docker.input(game.id)
  await input.write(line)
  input.close()
}

/** What a shell command prints inside the game's container. */
const inside = async (game: Game, command: string): Promise<string> => {
  // A terminal echoes what is typed; only the answer has no quotes behind its bracket.
  await type(game, `sh echo "<""$(${command})>"`)
  const match = await eventually(async () => /<(?!")([\s\S]*)>/.exec(await box.written(game)), {
    what: `an answer to ${command}`,
  })
  return match[1]!
}

/** What a server on this machine says first; null when it says nothing. */
const firstWords = (port: number): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.setTimeout(1_000))
    socket.once('data', (data) => resolve(data.toString()))
    for (const event of ['error', 'close', 'timeout']) socket.once(event, () => resolve(null))
  })

describe('a session container, seen from outside', () => {
  it('has the labels, limits and hardening of its spec', async () => {
    const game = await box.game({
      user: 'game',
      workingDir: '/data/game',
      volumes: [{ name: 'mods', mountPath: '/mods', readOnly: true }],
      resources: { memoryMb: 64, cpus: 0.5, pids: null },
      readOnlyRootfs: true,
      capabilities: ['NET_BIND_SERVICE'],
    })
    const info = await box.raw.getContainer(game.id).inspect()
    expect(info.Config.Labels).toMatchObject({
      'manman.type': 'game',
      'manman.session_id': game.sessionId,
      'manman.sgc_id': game.sgcId,
      'manman.server_id': box.serverId,
      'manman.env': 'test',
      'manman.created_at': expect.stringMatching(/Z$/),
      'manman.spec_hash': expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(info.Config).toMatchObject({ User: 'game', WorkingDir: '/data/game', Tty: false, OpenStdin: true })
    expect(info.Mounts.map(({ Destination, RW }) => `${Destination} ${RW}`).sort()).toEqual(['/data/game true', '/mods false'])
    expect(info.HostConfig).toMatchObject({
      Memory: 64 << 20,
      MemorySwap: 64 << 20,
      NanoCpus: 5e8,
      PidsLimit: 512,
      CapDrop: ['ALL'],
      CapAdd: ['NET_BIND_SERVICE'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Init: true,
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '5', compress: 'false' } },
    })
    expect(Object.keys(info.NetworkSettings.Networks)).toHaveLength(1)
    expect(await box.docker.containers.find(game.sessionId)).toMatchObject({
      id: game.id,
      sessionId: game.sessionId,
      sgcId: game.sgcId,
      state: 'running',
      exitCode: null,
      finishedAt: null,
      imageDigest: info.Image,
      specHash: info.Config.Labels['manman.spec_hash'],
    })
  })

  it('is one per session: creating and starting again changes nothing', async () => {
    const game = await box.game()
    const info = await box.raw.getContainer(game.id).inspect()
    const labels = {
      sessionId: game.sessionId,
      sgcId: game.sgcId,
      serverId: box.serverId,
      environment: 'test',
      createdAt: 'later',
    }
    const networkId = await box.docker.networks.ensure(labels)
    expect(await box.docker.containers.create({ labels, spec: game.spec, memo: '', mounts: [], networkId, ...asItIs })).toBe(
      game.id,
    )
    await box.docker.containers.start(game.id, [])
    expect((await box.raw.getContainer(game.id).inspect()).State.StartedAt).toBe(info.State.StartedAt)
  })

  it('shows how it ended, and goes with its network', async () => {
    const game = await box.game()
    await type(game, 'crash 7')
    expect(await box.ended(game)).toMatchObject({ exitCode: 7, oomKilled: false, finishedAt: expect.stringMatching(/Z$/) })
    expect(await box.docker.containers.signal(game.id, 'SIGTERM')).toBe(false)
    await box.docker.containers.remove(game.id)
    await box.docker.containers.remove(game.id)
    await box.docker.networks.remove(game.sessionId)
    await box.docker.networks.remove(game.sessionId)
    expect(await box.docker.containers.inspect(game.id)).toBeNull()
    expect(await box.docker.containers.find(game.sessionId)).toBeNull()
  })

  it('ends by signals, gently or not', async () => {
    const [gentle, deaf] = await Promise.all([box.game(), box.game({ env: { IGNORE_STOP: '1' } })])
    for (const game of [gentle, deaf])
      await eventually(async () => (await box.written(game)).includes('ready'), { what: 'ready' })
    expect(await box.docker.containers.signal(gentle.id, 'SIGTERM')).toBe(true)
    expect(await box.ended(gentle)).toMatchObject({ exitCode: 0 })
    expect(await box.docker.containers.signal(deaf.id, 'SIGTERM')).toBe(true)
    expect(await box.docker.containers.signal(deaf.id, 'SIGKILL')).toBe(true)
    expect(await box.ended(deaf)).toMatchObject({ exitCode: 137, oomKilled: false })
  })

  it('is out of memory only when the game itself was killed for it', async () => {
    const limits = { resources: { memoryMb: 16, cpus: null, pids: null } }
    const eater = 'awk \'BEGIN { x = "0123456789"; while (1) x = x x }\''
    const [itself, child] = await Promise.all([
      box.game({ ...limits, command: ['/bin/awk', 'BEGIN { x = "0123456789"; while (1) x = x x }'] }),
      box.game({ ...limits, command: ['/bin/sh', '-c', `${eater}; exit 3`] }),
    ])
    expect(await box.ended(itself)).toMatchObject({ exitCode: 137, oomKilled: true })
    expect(await box.ended(child)).toMatchObject({ exitCode: 3, oomKilled: false })
  })
})

describe('a session container, seen from inside', () => {
  it('runs as its user, who owns the volume, in its directory, with its environment', async () => {
    const game = await box.game({ user: 'game', workingDir: '/data/game', env: { MOTD: 'a b=c "d"' } })
    expect(await inside(game, 'id -u; id -g; pwd; echo $MOTD; touch saved && ls -ln saved')).toMatch(
      /^1000\n1001\n\/data\/game\na b=c "d"\n\S+ +1 1000 +1001 /,
    )
    const own = await stat(path.join(game.volumePath, 'saved'))
    expect([own.uid, own.gid]).toEqual([1000, 1001])
    expect(path.basename(game.volumePath)).toBe(`gsc-test-${game.sgcId}`)
  })

  it('has no capabilities but those declared, no new privileges, a bounded /tmp and no way to write its root', async () => {
    const game = await box.game({ readOnlyRootfs: true, user: '1000:1001' })
    expect(await inside(game, 'cat /proc/self/status')).toMatch(/CapBnd:\t0000000000000000[\s\S]*NoNewPrivs:\t1/)
    const other = await box.game({ readOnlyRootfs: true, user: '1000:1001' })
    expect(await inside(other, 'touch /x 2>&1; touch /tmp/x && echo tmp; mount | grep " /tmp "')).toMatch(
      /Read-only file system[\s\S]*tmp\n.*size=102400k.*/,
    )
  })

  it('has the capabilities it declares, and no other', async () => {
    const [some, none] = await Promise.all([box.game({ capabilities: ['NET_BIND_SERVICE', 'SYS_NICE'] }), box.game()])
    const bits = ((1 << 10) | (1 << 23)).toString(16).padStart(16, '0')
    expect(await inside(some, 'cat /proc/self/status')).toMatch(new RegExp(`CapEff:\t${bits}\nCapBnd:\t${bits}\n`))
    expect(await inside(none, 'cat /proc/self/status')).toMatch(/CapEff:\t0{16}\nCapBnd:\t0{16}\n/)
  })

  it('gets its entrypoint and its command word by word', async () => {
    const entrypoint = ['/bin/sh', '-c', 'echo "<$#|$0|$1|$2>"; exec /bin/game']
    const command = ['a  b', '$HOME; "x"', '']
    const game = await box.game({ entrypoint, command })
    const written = await eventually(async () => /<.*>/.exec(await box.written(game))?.[0], { what: 'its arguments' })
    expect(written).toBe('<2|a  b|$HOME; "x"|>')
    expect((await box.raw.getContainer(game.id).inspect()).Config).toMatchObject({ Entrypoint: entrypoint, Cmd: command })
  })

  it('has its limits of memory, processors and processes', async () => {
    const game = await box.game({ resources: { memoryMb: 48, cpus: 0.5, pids: 33 } })
    // Of cgroups version 1 or 2, whichever this machine has.
    const files = [
      'memory/memory.limit_in_bytes',
      'cpu/cpu.cfs_quota_us',
      'cpu/cpu.cfs_period_us',
      'pids/pids.max',
      'memory.max',
      'cpu.max',
      'pids.max',
    ]
    const limits = await inside(game, `cd /sys/fs/cgroup; cat ${files.join(' ')} 2>/dev/null`)
    expect(limits.trim().split(/\s+/)).toEqual([String(48 << 20), '50000', '100000', '33'])
  })

  it('cannot fork beyond its limit', async () => {
    const game = await box.game({ resources: { memoryMb: null, cpus: null, pids: 20 } })
    expect(
      await inside(game, 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do sleep 1 & done 2>&1'),
    ).toMatch(/can't fork/)
  })

  it('sees further volumes, read-only where declared, beside its own', async () => {
    const game = await box.game({ volumes: [{ name: 'mods', mountPath: '/mods', readOnly: true }] })
    await writeFile(path.join(box.dataDir, `gsc-test-${game.sgcId}.mods`, 'list'), 'none')
    expect(await inside(game, 'cat /mods/list; touch /mods/x 2>&1')).toMatch(/none[\s\S]*Read-only/)
    const open = await box.game({ volumes: [{ name: 'mods', mountPath: '/mods', readOnly: false }], user: '1000:1001' })
    expect(await inside(open, 'touch /mods/x && ls -ln /mods')).toMatch(/ 1000 +1001 .* x$/)
  })

  it("has the machine's network where it declares that, with no ports between", async () => {
    const [there, elsewhere] = [await freePort(), await freePort()]
    const port = { ...portOf(there), containerPort: there }
    const game = await box.game({
      hostNetwork: true,
      ports: [port, { ...portOf(elsewhere, 'UDP'), containerPort: elsewhere, name: 'query' }],
      command: ['/bin/sh', '-c', `ls -l /proc/self/ns/net; while :; do echo hello | nc -l -p ${there}; done`],
    })
    expect(await eventually(() => firstWords(there), { what: 'an answer on its own port' })).toBe('hello\n')
    expect(await box.written(game)).toContain(await readlink('/proc/self/ns/net'))
    const info = await box.raw.getContainer(game.id).inspect()
    expect(info.HostConfig).toMatchObject({ NetworkMode: 'host', PortBindings: {}, CapDrop: ['ALL'] })
    expect(Object.keys(info.NetworkSettings.Networks)).toEqual(['host'])
    expect((await box.docker.networks.list()).map(({ sessionId }) => sessionId)).not.toContain(game.sessionId)
  })

  it('listens where its port binding says', async () => {
    const [tcp, udp] = [await freePort(), await freePort()]
    const game = await box.game({
      ports: [portOf(tcp), { ...portOf(udp, 'UDP'), name: 'query' }],
      command: ['/bin/sh', '-c', 'while :; do echo hello | nc -l -p 4000; done'],
    })
    const answer = await eventually(() => firstWords(tcp), { what: 'an answer on the published port' })
    expect(answer).toBe('hello\n')
    const info = await box.raw.getContainer(game.id).inspect()
    expect(info.NetworkSettings.Ports).toMatchObject({ '4000/udp': [{ HostIp: '127.0.0.1', HostPort: String(udp) }] })
  })

  it('has stdin open from the start, and a terminal where asked', async () => {
    const game = await box.game({ tty: true })
    expect(await inside(game, 'tty 2>&1 || readlink /proc/self/fd/0')).toMatch(/\/dev\/(pts|console)/)
  })
})
