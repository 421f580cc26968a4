import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { boundLog, isAlive, logTail, spawnDetached, terminate } from '../../../cli/services/processes.ts'

let dir: string
let log: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'processes-'))
  log = join(dir, 'out.log')
})
afterEach(() => rmSync(dir, { recursive: true }))

const shell = (script: string) => spawnDetached(['sh', '-c', script], { log })
const output = (): string => readFileSync(log, 'utf8')

describe('spawnDetached', () => {
  it('gives the program a session of its own, and its output to the log', async () => {
    const { pid, exited } = await shell('cut -d" " -f6 /proc/$$/stat; echo failed >&2; exit 3')
    expect(await exited).toBe(3)
    expect(
      output()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual([String(pid), 'failed', ''])
  })

  it('rejects when there is no such program', async () => {
    await expect(spawnDetached(['/no/such/program'], { log })).rejects.toThrow('ENOENT')
  })
})

describe('terminate', () => {
  it('lets a process end in its own way', async () => {
    const { pid, exited } = await shell('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.1; done')
    await expect.poll(output).toContain('ready')
    await terminate(pid, 'SIGTERM', 5_000)
    expect([await exited, isAlive(pid)]).toEqual([0, false])
    expect(output()).toContain('bye')
  })

  it('kills one that does not, with the children it started', async () => {
    const { pid, exited } = await shell('trap "" TERM; sh -c \'trap "" TERM; echo child $$; while :; do sleep 0.1; done\' & wait')
    await expect.poll(output).toMatch(/child \d+/)
    const child = Number(/child (\d+)/.exec(output())?.[1])
    await terminate(pid, 'SIGTERM', 100)
    expect(await exited).toBe('SIGKILL')
    await expect.poll(() => isAlive(child)).toBe(false)
  })

  it('takes a process that is gone for success', async () => {
    const { pid, exited } = await shell('true')
    await exited
    await terminate(pid, 'SIGTERM', 1_000)
  })
})

describe('a log', () => {
  it('is emptied once it is large, and kept beside itself', () => {
    writeFileSync(log, 'x'.repeat(9 * 1024 * 1024))
    boundLog(log)
    expect([statSync(log).size, statSync(`${log}.1`).size]).toEqual([0, 9 * 1024 * 1024])
  })

  it('shows its last lines on one', () => {
    writeFileSync(log, 'one\ntwo\nthree\nfour\n')
    expect(logTail(log, 2)).toBe('three | four')
    expect(logTail(join(dir, 'absent.log'))).toBe('')
  })
})
