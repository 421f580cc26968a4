import { describe, expect, it } from 'vitest'
import { cpuPercentOf, type RawStats, usageOf } from '../../../../host/docker/stats.ts'

const machine = 8_000_000_000
const raw = (memory: RawStats['memory_stats'], networks?: RawStats['networks']): RawStats => ({
  read: '2026-01-01T00:00:00.5Z',
  cpu_stats: { cpu_usage: { total_usage: 1_500_000_000 } },
  memory_stats: memory,
  networks,
})

describe("what a container uses, from Docker's answer", () => {
  it('leaves out what the kernel caches of files, by the name each cgroup version has for it', () => {
    const v1 = raw({ usage: 100, limit: 1_000, stats: { total_inactive_file: 30, inactive_file: 5 } })
    const v2 = raw({ usage: 100, limit: 1_000, stats: { inactive_file: 40 } })
    expect(usageOf(v1, machine)).toMatchObject({ memoryBytes: 70, memoryLimitBytes: 1_000 })
    expect(usageOf(v2, machine)).toMatchObject({ memoryBytes: 60, memoryLimitBytes: 1_000 })
  })

  it("takes the machine's memory for no limit", () => {
    expect(usageOf(raw({ usage: 1, limit: machine }), machine)?.memoryLimitBytes).toBeNull()
    expect(usageOf(raw({ usage: 1, limit: Number.MAX_SAFE_INTEGER }), machine)?.memoryLimitBytes).toBeNull()
  })

  it("adds up networks, of which one on the machine's own has none", () => {
    const networks = { eth0: { rx_bytes: 1, tx_bytes: 10 }, eth1: { rx_bytes: 2, tx_bytes: 20 } }
    expect(usageOf(raw({ usage: 1 }, networks), machine)).toMatchObject({ rxBytes: 3, txBytes: 30 })
    expect(usageOf(raw({ usage: 1 }), machine)).toMatchObject({ rxBytes: 0, txBytes: 0 })
  })

  it('knows a container that does not run', () => {
    expect(usageOf({ ...raw({ usage: 1 }), read: '0001-01-01T00:00:00Z' }, machine)).toBeNull()
    expect(usageOf(raw({}), machine)).toBeNull()
  })

  it('is percent of one processor between two readings', () => {
    const before = usageOf(raw({ usage: 1 }), machine)!
    const after = { ...before, at: '2026-01-01T00:00:02.5Z', cpuNs: before.cpuNs + 3_000_000_000 }
    expect(cpuPercentOf(before, after)).toBe(150)
    expect(cpuPercentOf(before, before)).toBe(0)
    expect(cpuPercentOf(after, { ...before, at: '2026-01-01T00:00:04.5Z' })).toBe(0)
  })
})
