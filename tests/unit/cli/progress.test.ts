import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Progress } from '../../../cli/progress.ts'

interface Out {
  isTTY: boolean
  columns: number
  write(text: string): void
}

const script = resolve(import.meta.dirname, '../../../cli/bootstrap/progress.mjs')
const { makeProgress } = (await import(/* @vite-ignore */ script)) as { makeProgress(out: Out, env: NodeJS.ProcessEnv): Progress }

const open = (isTTY: boolean, env: NodeJS.ProcessEnv = {}) => {
  let written = ''
  const progress = makeProgress({ isTTY, columns: 60, write: (text) => (written += text) }, env)
  return { progress, written: () => written }
}

describe('progress', () => {
  it('is one plain line for each step where nobody watches a terminal', async () => {
    const { progress, written } = open(false)
    await Promise.all([
      progress.step('database', async (relabel) => relabel('database at 127.0.0.1')),
      progress.step('broker', () => Promise.reject(new Error('no'))).catch(() => {}),
    ])
    progress.note(progress.paint(1, 'done'))
    expect(written().split('\n').sort()).toEqual([
      '',
      expect.stringMatching(/^ {2}✔ database at 127\.0\.0\.1 +\d\.\d s$/),
      expect.stringMatching(/^ {2}✖ broker +\d\.\d s$/),
      'done',
    ])
  })

  it('has colours on a terminal, and none where NO_COLOR is set', () => {
    expect(open(true).progress.paint(31, 'x')).toBe('\u001b[31mx\u001b[0m')
    expect(open(true, { NO_COLOR: '1' }).progress.paint(31, 'x')).toBe('x')
    expect(open(false).progress.paint(31, 'x')).toBe('x')
  })

  it('says nothing more of steps that nobody waits for', async () => {
    const { progress, written } = open(false)
    let end = () => {}
    const step = progress.step('slow', () => new Promise<void>((done) => (end = done)))
    progress.done()
    end()
    await step
    expect(written()).toBe('')
  })
})
