import { isViolationOf, type Transaction } from '../../lib/db/transaction.ts'
import { Conflict, PortTaken, type TakenPort } from '../../lib/domain/errors.ts'
import { allocatePorts } from '../../lib/domain/port-allocation.ts'
import type { PortBinding, PortRange, PortRequest } from '../../lib/domain/ports.ts'
import { heldPorts } from './port-store.ts'
import type { GameConfig } from './store.ts'

/** A port or a name may be taken between looking and writing, but hardly twice. */
const maxAttempts = 3

const isPortTaken = (error: unknown): boolean => isViolationOf(error, 'one_owner_per_port')

/** Runs `work` again when somebody took something a moment ago, a port unless told: looking again shows who has it. */
export const lookingAgain = async <T>(work: () => Promise<T>, isTaken = isPortTaken): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === maxAttempts || !isTaken(error)) throw error
    }
  }
}

/**
 * A host port for each port that the config declares, all or none. Throws `PortTaken` naming each one that another
 * deployment holds, or `Conflict` when the server's range is full.
 */
export const allocate = async (
  tx: Transaction,
  wanted: { id: string; serverId: string; requests: ReadonlyMap<string, PortRequest>; range: PortRange },
  config: Pick<GameConfig, 'ports'>,
): Promise<PortBinding[]> => {
  const { requests, range } = wanted
  // What the deployment has itself is no obstacle, also where it is about to give it up.
  const held = (await heldPorts(tx, wanted.serverId)).filter(({ serverGameConfigId }) => serverGameConfigId !== wanted.id)
  const allocation = allocatePorts({ definitions: config.ports, requests, range, held })
  if (allocation.kind === 'taken') throw new PortTaken(allocation.taken, describeTaken(allocation.taken))
  if (allocation.kind === 'exhausted') {
    const names = allocation.names.join(', ')
    throw new Conflict(`No port from ${range.from} to ${range.to} is free on this server for: ${names}.`)
  }
  return allocation.bindings
}

const describeTaken = (taken: readonly TakenPort[]): string => {
  const ports = taken.map(({ port, protocol, serverGameConfigId }) => `${port}/${protocol} (deployment ${serverGameConfigId})`)
  return `Held by another deployment of this server: ${ports.join(', ')}.`
}

/** `int4range` as PostgreSQL writes it: [from,to). */
export const rangeOf = (text: string): PortRange => {
  const [, from, end] = /^\[(\d+),(\d+)\)$/.exec(text) ?? []
  if (!from || !end) throw new Error(`not a port range: ${text}`)
  return { from: Number(from), to: Number(end) - 1 }
}
