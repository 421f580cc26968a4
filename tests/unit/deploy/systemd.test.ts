import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exitBadConfig } from '../../../lib/process/env.ts'

const root = resolve(import.meta.dirname, '../../..')
const units = join(root, 'deploy/systemd')
const names = readdirSync(units).filter((name) => name.endsWith('.service'))
const setting = (unit: string, key: string): string | undefined =>
  new RegExp(`^${key}=(.*)$`, 'm').exec(readFileSync(join(units, unit), 'utf8'))?.[1]

describe('the systemd unit', () => {
  it.each(names)('%s runs a program of this release', (name) => {
    const [, program = '', word] = /\/opt\/manman\/(\S+) (\w+)$/.exec(setting(name, 'ExecStart') ?? '') ?? []
    expect(existsSync(join(root, program.replace(/^dist\/(.*)\.js$/, '$1.ts')))).toBe(true)
    expect(word).toBe(name === 'manman-host.service' ? 'host' : 'up')
  })

  it.each(names)('%s comes back after a crash and at boot, but not where that would not help', (name) => {
    expect(setting(name, 'Restart')).toBe('always')
    expect(setting(name, 'StartLimitIntervalSec')).toBe('0')
    expect(setting(name, 'RestartPreventExitStatus')).toBe(String(exitBadConfig))
    expect(setting(name, 'WantedBy')).toBe('multi-user.target')
  })

  it('is described', () => {
    const guide = readFileSync(join(units, 'README.md'), 'utf8')
    for (const name of names) expect(guide).toContain(`deploy/systemd/${name} /etc/systemd/system/${name}`)
  })
})
