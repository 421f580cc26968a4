import { describe, expect, it } from 'vitest'
import { makeVitals } from '../../../host/vitals.ts'
import { Unavailable } from '../../../lib/domain/errors.ts'

const mebibyte = 1024 * 1024
const engine = { dockerVersion: '20.10', cpus: 4, memoryBytes: 8e9, hasSeccomp: true, logDrivers: ['json-file', 'local'] }

/** A machine whose disk and engine are as the test says. */
const aMachine = () => {
  const machine = { freeMb: 5_000, engine: engine as typeof engine | Error }
  const vitals = makeVitals({
    dataDir: '/',
    diskFloorBytes: 1_000 * mebibyte,
    diskFree: async () => machine.freeMb * mebibyte,
    docker: {
      info: async () => {
        if (machine.engine instanceof Error) throw machine.engine
        return machine.engine
      },
    },
  })
  return { machine, messages: async () => (await vitals()).conditions.map(({ kind, message }) => `${kind}: ${message}`), vitals }
}

describe("a machine's conditions", () => {
  it('say that the disk is low from its floor down until it is well above it, in steps', async () => {
    const { machine, messages } = aMachine()
    const at = async (freeMb: number) => {
      machine.freeMb = freeMb
      return messages()
    }
    expect(await at(1_001)).toEqual([])
    expect(await at(999)).toEqual(['DISK_LOW: The disk has less than 1000 MB left; nothing is started below 1000 MB.'])
    expect(await at(901)).toEqual(await at(999))
    expect(await at(850)).toEqual(['DISK_LOW: The disk has less than 900 MB left; nothing is started below 1000 MB.'])
    expect(await at(1_040)).toHaveLength(1)
    expect(await at(1_051)).toEqual([])
    expect(await at(1_040)).toEqual([])
  })

  it('say that Docker is away, and keep what is known of it', async () => {
    const { machine, messages, vitals } = aMachine()
    machine.engine = new Unavailable('Docker does not answer.')
    expect(await vitals()).toMatchObject({ capacity: null })
    machine.engine = engine
    expect(await messages()).toEqual([])
    machine.engine = new Unavailable('Docker does not answer.')
    expect(await messages()).toEqual(['DOCKER_DOWN: Docker does not answer.'])
    expect(await vitals()).toMatchObject({ capacity: { cpus: 4, diskFreeBytes: 5_000 * mebibyte } })
  })

  it('say that Docker gives no seccomp profile', async () => {
    const { machine, messages } = aMachine()
    machine.engine = { ...engine, hasSeccomp: false }
    expect(await messages()).toEqual([expect.stringContaining('SECCOMP_OFF: Docker gives containers no seccomp profile')])
  })

  it('say that Docker lacks the log driver that games need', async () => {
    const { machine, messages } = aMachine()
    machine.engine = { ...engine, logDrivers: ['json-file'] }
    expect(await messages()).toEqual([expect.stringContaining('LOG_DRIVER: Docker has no log driver `local`')])
  })
})
