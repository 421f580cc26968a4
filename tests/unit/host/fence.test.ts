import { spawn } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Fence, fenced, takeFence } from '../../../host/fence.ts'

let dir: string
let copy: string
const open: Fence[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'manman-fence-'))
  copy = `${dir}-copy`
})
afterEach(async () => {
  for (const fence of open.splice(0)) fence.close()
  for (const path of [dir, copy]) await rm(path, { recursive: true, force: true })
})

const take = async (said: string[] = []): Promise<Fence> => {
  const fence = await takeFence(dir, (what) => said.push(what))
  open.push(fence)
  return fence
}

describe('the fence of a data directory', () => {
  it('goes to the latest agent, which has the higher epoch; the one before hears of it', async () => {
    const first = await take()
    const lost = new Promise<void>((done) => first.onLost(done))
    expect(first.holds()).toBe(true)
    const second = await take()
    await lost
    expect(second.epoch).toBe(first.epoch + 1)
    expect([first.holds(), second.holds()]).toEqual([false, true])
  })

  it('starts from the clock when its file is broken, which no count has reached', async () => {
    await writeFile(join(dir, 'epoch.json'), '{')
    expect((await take()).epoch).toBeGreaterThan(1_700_000_000)
  })

  it('is taken from a process that was stopped by killing it; a copy of the directory takes nothing', async () => {
    const text = `const { takeFence } = await import('./host/fence.ts'); await takeFence(process.argv[1], () => {}); console.log('taken'); setInterval(() => {}, 1000)`
    const cwd = resolve(import.meta.dirname, '../../..')
    const other = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text, dir], { cwd })
    const ended = new Promise<string | null>((done) => other.once('exit', (_, signal) => done(signal)))
    await new Promise((taken) => other.stdout.once('data', taken))
    await cp(dir, copy, { recursive: true })
    const elsewhere = await takeFence(copy, () => undefined)
    elsewhere.close()
    expect(other.exitCode ?? other.signalCode).toBeNull()
    other.kill('SIGSTOP')
    const said: string[] = []
    const fence = await take(said)
    expect(await ended).toBe('SIGKILL')
    expect(said).toEqual([expect.stringContaining(`process ${other.pid}`)])
    expect(fence.holds()).toBe(true)
  })

  it('keeps verbs from doing anything once it is lost', async () => {
    const fence = await take()
    const done: string[] = []
    const verbs = fenced({ start: (what: string) => done.push(what) }, fence.holds)
    verbs.start('a')
    await take()
    expect(() => verbs.start('b')).toThrow('Another agent')
    expect(done).toEqual(['a'])
  })
})
