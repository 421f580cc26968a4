import type { HostHealth, ServerCondition } from '../lib/messages/statuses.ts'

type Capacity = HostHealth['capacity']

/** What people see of a machine's state, as its row has it or as a heartbeat tells it. */
export interface Vitals {
  agentVersion: string | null
  capacity: Capacity
  conditions: readonly ServerCondition[]
}

/** Free space changes all the time; less than this part of it is not worth telling. */
const noise = 0.05

/** True when what is heard shows people something that what is known does not. */
export const tellsNews = (known: Vitals, heard: Vitals): boolean =>
  known.agentVersion !== heard.agentVersion || !sameConditions(known, heard) || !sameCapacity(known.capacity, heard.capacity)

const sameConditions = (a: Vitals, b: Vitals): boolean => {
  const text = ({ conditions }: Vitals): string =>
    JSON.stringify(conditions.map(({ kind, message }) => `${kind} ${message}`).sort())
  return text(a) === text(b)
}

const sameCapacity = (a: Capacity, b: Capacity): boolean => {
  if (a === null || b === null) return a === b
  if (a.cpus !== b.cpus || a.memoryBytes !== b.memoryBytes || a.dockerVersion !== b.dockerVersion) return false
  if (a.diskFreeBytes === null || b.diskFreeBytes === null) return a.diskFreeBytes === b.diskFreeBytes
  return Math.abs(a.diskFreeBytes - b.diskFreeBytes) <= noise * a.diskFreeBytes
}
