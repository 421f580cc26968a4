import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { findServerFaults } from '../../../cli/up/preflight.ts'
import '../../support/provided.ts'

const bootstrap = resolve(import.meta.dirname, '../../../cli/bootstrap.mjs')

let dir: string
let stranger: Server
let takenPort: number
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'preflight-'))
  stranger = createServer().listen(0, '127.0.0.1')
  await once(stranger, 'listening')
  takenPort = (stranger.address() as AddressInfo).port
})
afterAll(() => {
  stranger.close()
  rmSync(dir, { recursive: true, force: true })
})

/** Runs `manman up` as a person does; every variable that matters is given. */
const runUp = (env: Record<string, string>, preload: string[] = []): Promise<{ code: number; lines: string[] }> =>
  new Promise((resolve) => {
    const clean = { PATH: process.env.PATH, HOME: process.env.HOME, HOST: '127.0.0.1', ...env }
    execFile(
      process.execPath,
      [...preload, bootstrap, 'up'],
      { env: clean, cwd: dir, timeout: 30_000 },
      (error, _stdout, stderr) => resolve({ code: Number(error?.code ?? 0), lines: stderr.trim().split('\n') }),
    )
  })

describe('manman up', () => {
  it('names every fault at once, one line each with its remedy, and starts nothing', async () => {
    const notADirectory = join(dir, 'file')
    writeFileSync(notADirectory, '')
    const { code, lines } = await runUp({
      MANMAN_HOME: join(notADirectory, 'home'),
      PORT: String(takenPort),
      DATABASE_URL: 'mysql://root@localhost/manman',
      AMQP_URL: 'amqp://127.0.0.1:1',
    })
    expect(code).toBe(78)
    expect(lines).toEqual([
      "ManMan can't start, 4 things are in the way:",
      expect.stringMatching(/✖ .*file\/home can't be written \(ENOTDIR\): set MANMAN_HOME to a directory of yours$/),
      expect.stringMatching(`✖ port ${takenPort} on 127.0.0.1 is taken by .* \\(pid ${process.pid}\\): .*set PORT to another`),
      expect.stringMatching(/✖ DATABASE_URL is not a postgres:.* URL: correct it, or unset DATABASE_URL/),
      expect.stringMatching(
        /✖ AMQP_URL: nothing answers at 127.0.0.1:1 \(ECONNREFUSED\): start RabbitMQ there, or unset AMQP_URL/,
      ),
    ])
  })

  it('says that a Node is too old beside the other faults', async () => {
    const pretend = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "16.20.2" } })'
    const old = `data:text/javascript,${encodeURIComponent(pretend)}`
    const { code, lines } = await runUp({ MANMAN_HOME: join(dir, 'home'), PORT: 'https' }, ['--import', old])
    expect(code).toBe(78)
    expect(lines.slice(1)).toEqual([
      expect.stringContaining('Node.js 16.20.2 is too old: install 20.18 or newer'),
      expect.stringContaining('PORT is not a port number: https'),
    ])
  })
})

describe('findServerFaults', () => {
  it('says that database and broker refuse the password, without showing it', async () => {
    const { databaseUrl, amqpUrl } = inject('services')
    const wrong = (url: string): string => {
      const parsed = new URL(url)
      parsed.password = 'not-the-password'
      return parsed.href
    }
    const faults = await findServerFaults({ DATABASE_URL: wrong(databaseUrl), AMQP_URL: wrong(amqpUrl) }, [])
    expect(faults.map((fault) => fault.message)).toEqual([
      expect.stringMatching(
        /^DATABASE_URL: the database refuses the user or password .*: correct the user and password in the URL, or unset it/,
      ),
      expect.stringMatching(
        /^AMQP_URL: the broker refuses the user or password: correct the user, password and vhost in the URL, or unset it/,
      ),
    ])
    expect(JSON.stringify(faults)).not.toContain('not-the-password')
  })

  it('names a database that is not there, and asks nothing twice', async () => {
    const url = new URL(inject('services').databaseUrl)
    url.pathname = '/absent'
    expect(await findServerFaults({ DATABASE_URL: url.href }, [])).toEqual([
      { about: 'DATABASE_URL', message: expect.stringContaining('database "absent" does not exist') },
    ])
    expect(await findServerFaults({ DATABASE_URL: url.href }, [{ about: 'DATABASE_URL', message: '' }])).toEqual([])
  })

  it('finds nothing wrong with servers that let us in', async () => {
    const { databaseUrl, amqpUrl } = inject('services')
    expect(await findServerFaults({ DATABASE_URL: databaseUrl, AMQP_URL: amqpUrl }, [])).toEqual([])
  })
})
