import { copyFile, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionSpec } from '../../../lib/messages/session-spec.ts'
import { run } from '../../support/images/docker-cli.ts'
import { buildFakeGame } from '../../support/images/fake-game.ts'
import { type Game, openSandbox, type Sandbox } from './docker/sandbox.ts'

let box: Sandbox
let image: string
/** Containers without what protects a game, each for its own probe. */
const loose: string[] = []

beforeAll(async () => {
  ;[box, image] = await Promise.all([openSandbox(), buildFakeGame()])
})
afterAll(async () => {
  if (loose.length > 0) await run('docker', ['rm', '--force', '--volumes', ...loose])
  await box.close()
})

const looseContainer = async (args: readonly string[], command: readonly string[] = ['sleep', '100000']): Promise<string> => {
  const id = (await run('docker', ['create', ...args, image, ...command])).trim()
  loose.push(id)
  return id
}

/** What a shell command in the container says, in whatever way it ends. */
const inside = async (id: string, command: string, user = '0'): Promise<string> =>
  (await run('docker', ['exec', '--user', user, id, 'sh', '-c', `(${command}) 2>&1 || :`])).trim()

/** A command that ends with `done` where it is let. */
interface Probe {
  command: string
  /** What a container must have that is let. */
  unprotected?: readonly string[]
  spec?: Partial<SessionSpec>
  says: RegExp
}

const probes: Record<string, Probe> = {
  'mount anything': {
    command: 'busybox mkdir -p /tmp/m && mount -t tmpfs none /tmp/m && echo done',
    unprotected: ['--cap-add', 'SYS_ADMIN', '--security-opt', 'apparmor=unconfined'],
    says: /permi|denied/,
  },
  'make what seccomp refuses to everybody: a namespace of users': {
    command: 'busybox unshare -U true && echo done',
    unprotected: ['--security-opt', 'seccomp=unconfined'],
    says: /not permitted/,
  },
  'give files away': { command: 'touch /tmp/f && busybox chown 1:1 /tmp/f && echo done', says: /not permitted/ },
  'make a device': { command: 'busybox mknod /disk b 8 0 && echo done', says: /not permitted/ },
  'send packets of its own making': {
    command: 'busybox traceroute -I -m 1 -q 1 -w 1 127.0.0.1 >/dev/null && echo done',
    says: /permi/,
  },
  'change a root that is read-only': { command: 'touch /x && echo done', spec: { readOnlyRootfs: true }, says: /Read-only/ },
  'fill the disk by /tmp': {
    command: 'dd if=/dev/zero of=/tmp/fill bs=1M count=120 && echo done; busybox rm /tmp/fill',
    says: /No space left/,
  },
  'have more than 512 processes': {
    command: 'i=0; while [ $i -lt 520 ]; do sleep 60 & i=$((i+1)); done; echo done; busybox killall sleep',
    says: /can't fork/,
  },
  'take more memory than it has, swap included': {
    command: 'dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null && echo done || echo ended with $?',
    spec: { resources: { memoryMb: 64, cpus: null, pids: null } },
    says: /ended with 137/,
  },
  "speak to Docker's socket": {
    command: 'for s in /var/run/docker.sock /run/docker.sock; do [ -S $s ] && echo done && exit; done; echo none',
    unprotected: ['--volume', '/var/run/docker.sock:/var/run/docker.sock'],
    says: /none/,
  },
  "see the machine's processes": {
    command: 'busybox grep -qx dockerd /proc/[0-9]*/comm && echo done || echo none',
    unprotected: ['--pid', 'host'],
    says: /none/,
  },
}

describe('a game can not, and a container that is not protected can', () => {
  it.each(Object.entries(probes))('%s', async (_, { command, unprotected = [], spec, says }) => {
    const [other, game] = await Promise.all([looseContainer(unprotected), box.game(spec)])
    await run('docker', ['start', other])
    await inside(other, 'busybox mkdir -p /tmp')
    expect(await inside(other, command)).toMatch(/^done$/m)
    const answer = await inside(game.id, command)
    expect(answer).toMatch(says)
    expect(answer).not.toMatch(/^done$/m)
  })

  it('become root by a program with the setuid bit', async () => {
    const files = await mkdtemp(path.join(tmpdir(), 'setuid-'))
    // As in many images: a `su`, and a root without a password.
    await copyFile('/bin/busybox', path.join(files, 'su'))
    await writeFile(path.join(files, 'passwd'), 'root::0:0::/:/bin/sh\ngame:x:1000:1001::/data:/bin/sh\n')
    const [other, { id }] = await Promise.all([looseContainer([]), box.game({}, { start: false })])
    for (const container of [other, id]) {
      await run('docker', ['cp', path.join(files, 'su'), `${container}:/bin/su`])
      await run('docker', ['cp', path.join(files, 'passwd'), `${container}:/etc/passwd`])
      await run('docker', ['start', container])
      expect(await inside(container, 'busybox chmod 4755 /bin/su && busybox stat -c %u:%a /bin/su')).toBe('0:4755')
    }
    await rm(files, { recursive: true })
    expect(await inside(other, "/bin/su -c 'id -u' root", '1000')).toBe('0')
    expect(await inside(id, "/bin/su -c 'id -u' root", '1000')).toMatch(/must be suid/)
    expect(await inside(id, 'id -u', '1000')).toBe('1000')
  })

  it('fill the disk with output', async () => {
    const talk = ['sh', '-c', `yes ${'x'.repeat(200)} | busybox head -c 70000000`]
    const other = await looseContainer(['--log-driver', 'json-file'], talk)
    const game = await box.game({ entrypoint: ['/bin/sh'], command: talk.slice(1) })
    await run('docker', ['start', other])
    await Promise.all([box.ended(game), run('docker', ['wait', other])])
    const [ofOther, ofGame] = await Promise.all([logBytes(other), logBytes(game.id)])
    expect(ofOther).toBeGreaterThan(70e6)
    expect(ofGame).toBeLessThan(55e6)
  })
})

/** Of all that Docker keeps of a container's output. */
const logBytes = async (id: string): Promise<number> => {
  const root = (await run('docker', ['info', '--format', '{{.DockerRootDir}}'])).trim()
  const directory = path.join(root, 'containers', id)
  const files = (await readdir(directory, { recursive: true })).filter((name) => /\.log(\.\d+)?$/.test(name))
  const sizes = await Promise.all(files.map(async (name) => (await stat(path.join(directory, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

it('nothing of this machine is mounted into a game but its volumes', async () => {
  const game: Game = await box.game({ volumes: [{ name: 'mods', mountPath: '/mods', readOnly: true }] })
  const other = await looseContainer(['--volume', '/etc:/machine:ro'])
  await run('docker', ['start', other])
  // Device, root within it, and where it is seen: what is of a disk, without what Docker itself puts there.
  const own = /^\/(etc\/(resolv\.conf|hostname|hosts)|sbin\/docker-init)?$/
  const mountsOf = async (id: string): Promise<string[]> => {
    const lines = (await inside(id, 'cat /proc/self/mountinfo')).split('\n').map((line) => line.split(' '))
    const real = lines.filter((fields) => fields[fields.indexOf('-') + 2]?.startsWith('/'))
    return real.map((fields) => fields[4]!).filter((target) => !own.test(target))
  }
  expect(await mountsOf(other)).toEqual(['/machine'])
  expect((await mountsOf(game.id)).sort()).toEqual(['/data/game', '/mods'])
})

it('a machine out of memory ends games first', async () => {
  const game = await box.game()
  const other = await looseContainer([])
  await run('docker', ['start', other])
  const adjustment = 'cat /proc/1/oom_score_adj'
  expect([await inside(other, adjustment), await inside(game.id, adjustment)]).toEqual(['0', '500'])
})
