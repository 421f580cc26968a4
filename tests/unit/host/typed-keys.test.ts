import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTypedKeys, type TypedKeys } from '../../../host/typed-keys.ts'

let dir: string
let path: string
const open: TypedKeys[] = []
const openKeys = async (keep = 100): Promise<TypedKeys> => {
  const keys = await openTypedKeys({ path, keep })
  open.push(keys)
  return keys
}
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'typed-keys-'))
  path = join(dir, 'typed.jsonl')
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((keys) => keys.close()))
  await rm(dir, { recursive: true })
})

describe('the keys of typed lines', () => {
  it('are known to the next agent: those that were written, and those of which nobody knows', async () => {
    const keys = await openKeys()
    await keys.begin('written')
    await keys.end('written', '2026-01-01T00:00:00.000Z')
    await keys.begin('begun')
    await keys.begin('refused')
    await keys.forget('refused')
    const next = await openKeys()
    expect(next.get('written')).toEqual({ writtenAt: '2026-01-01T00:00:00.000Z' })
    expect(next.get('begun')).toEqual({ writtenAt: null })
    expect(next.get('refused')).toBeUndefined()
  })

  it('are known although the last entry broke off', async () => {
    const keys = await openKeys()
    await keys.begin('whole')
    await appendFile(path, '["torn')
    const next = await openKeys()
    expect(next.get('whole')).toEqual({ writtenAt: null })
    await next.begin('after')
    expect((await openKeys()).get('after')).toEqual({ writtenAt: null })
  })

  it('are bounded, in memory and on disk', async () => {
    const keys = await openKeys(5)
    for (let index = 0; index < 40; index++) await keys.begin(`key ${index}`)
    expect(keys.get('key 39')).toBeDefined()
    expect(keys.get('key 34')).toBeUndefined()
    expect((await readFile(path, 'utf8')).split('\n').length).toBeLessThan(15)
    expect((await openKeys(5)).get('key 35')).toBeDefined()
  })
})
