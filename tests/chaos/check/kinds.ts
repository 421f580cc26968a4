import { type Evidence, outcomeOf } from '../evidence.ts'
import { faultKinds, operationKinds } from '../plan.ts'

/** What a run has not done at all, or never with success: then it proves nothing about it. */
export const missingKinds = ({ operations, faults }: Evidence): string[] => [
  ...operationKinds
    .filter((kind) => !operations.some((record) => record.kind === kind && outcomeOf(record) === 'accepted'))
    .map((kind) => `no ${kind} was accepted`),
  ...faultKinds.filter((kind) => !faults.some((fault) => fault.kind === kind)).map((kind) => `no ${kind} happened`),
]
