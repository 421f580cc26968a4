import type { GameConfigDraft } from '../../lib/domain/game-config.ts'
import type { InputCheck } from '../../lib/domain/inputs.ts'
import type { SessionSpec } from '../../lib/messages/session-spec.ts'

export type ResourcesInput = NonNullable<GameConfigDraft['resources']>

/** Docker's own floor for memory is 6 MiB; the ceilings only keep typing errors out. */
export const parseResources = (check: InputCheck, given: ResourcesInput): SessionSpec['resources'] => {
  const { memoryMb = null, cpus = null, pids = null, diskWarnMb = null } = given
  if (memoryMb !== null) check.integer('resources.memoryMb', memoryMb, 6, 16 * 1024 * 1024)
  if (cpus !== null && !(cpus >= 0.01 && cpus <= 1_024)) check.refuse('resources.cpus', 'must be from 0.01 to 1024')
  if (pids !== null) check.integer('resources.pids', pids, 1, 4_194_304)
  if (diskWarnMb !== null) check.integer('resources.diskWarnMb', diskWarnMb, 1, 1_000_000_000)
  return { memoryMb, cpus, pids, diskWarnMb }
}
