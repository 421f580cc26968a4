import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { pickPorts } from '../../cli/services/state-file.ts'
import { ensureBuilt } from '../support/built.ts'
import { eventually } from '../support/eventually.ts'

const script = resolve(import.meta.dirname, '../support/up.mjs')
const startLimitMs = 90_000

let home: string
let address: string
let running: Up | undefined

beforeAll(async () => {
  await ensureBuilt()
  home = mkdtempSync(join(tmpdir(), 'manman-up-'))
  const [port] = await pickPorts(1)
  address = `http://127.0.0.1:${port}`
})
afterEach(async () => {
  await running?.end('SIGTERM')
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

interface Up {
  says(text: string | RegExp, limitMs?: number): Promise<string>
  /** Sends a signal and waits for the end; answers the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string>
}

const startUp = (): Up => {
  const child = spawn(process.execPath, [script], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      MANMAN_HOME: home,
      PORT: new URL(address).port,
      MANMAN_ENV: 'up-test',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
  let end: number | string | undefined
  child.once('exit', (code, signal) => {
    end = code ?? signal ?? 'unknown'
  })
  running = {
    says: async (text, limitMs = startLimitMs) => {
      await eventually(() => said.match(text) !== null || end !== undefined, { what: `${text} in\n${said}`, limitMs })
      if (!said.match(text)) throw new Error(`it ended (${end}) and said\n${said}`)
      return said
    },
    end: async (signal) => {
      child.kill(signal)
      await eventually(() => end !== undefined, { what: `the end by ${signal}; it said\n${said}`, limitMs: 40_000 })
      return end!
    },
  }
  return running
}

/** Processes whose command line has this test's home in it, and the parts of ManMan that they started. */
const ours = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [command, environment] = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'))
        return command && `${command}${environment}`.includes(home) ? [command.replaceAll('\0', ' ')] : []
      } catch {
        return [] // gone meanwhile
      }
    })

const claim = (): { pid: number; children: number[] } => JSON.parse(readFileSync(join(home, 'up.json'), 'utf8'))

const isServing = async (): Promise<boolean> =>
  fetch(`${address}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.status === 200,
    () => false,
  )

describe('manman up', () => {
  it('leaves no process behind when it is stopped while it starts', async () => {
    const up = startUp()
    await up.says('PostgreSQL at')
    expect(await up.end('SIGINT')).toBe(0)
    expect(ours()).toEqual([])
    expect(existsSync(join(home, 'up.json'))).toBe(false)
  })

  it(
    'brings back what dies, and after its own SIGKILL takes over the services and nothing else',
    async () => {
      const first = startUp()
      await first.says('Ctrl-C stops ManMan')
      const [controlPlane] = claim().children
      process.kill(controlPlane!, 'SIGKILL')
      await first.says(/control plane ended \(SIGKILL\), starting it again in/)
      await first.says('control plane is back')
      await eventually(isServing, { what: 'a control plane that is whole again', limitMs: 30_000 })
      process.kill(Number(readFileSync(join(home, 'rabbitmq/rabbitmq.pid'), 'utf8')), 'SIGKILL')
      await first.says('RabbitMQ is there again')
      await eventually(isServing, { what: 'a control plane with its broker', limitMs: 30_000 })

      const { children } = claim()
      expect(children).toHaveLength(2)
      expect(await first.end('SIGKILL')).toBe('SIGKILL')
      await eventually(() => children.every((pid) => !existsSync(`/proc/${pid}`)), { what: 'the end of its parts' })

      const second = startUp()
      const said = await second.says('Ctrl-C stops ManMan')
      expect(said).toMatch(/PostgreSQL at .*, found running, migrated/)
      expect(said).toMatch(/RabbitMQ at .*, found running/)
      expect(await isServing()).toBe(true)
      expect(await second.end('SIGTERM')).toBe(0)
      expect(ours()).toEqual([])
    },
    startLimitMs * 2,
  )
})
