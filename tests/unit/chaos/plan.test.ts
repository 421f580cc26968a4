import { describe, expect, it } from 'vitest'
import { faultKinds, makePlan, operationKinds } from '../../chaos/plan.ts'

const operationsOf = (steps: ReturnType<typeof makePlan>) =>
  steps.flatMap((step) => ('operation' in step ? [step.operation] : []))
const faultsOf = (steps: ReturnType<typeof makePlan>) => steps.flatMap((step) => ('fault' in step ? [step.fault] : []))

describe('a plan of chaos', () => {
  it('is the same for the same seed, and another for another', () => {
    const plan = makePlan({ seed: 7, operations: 300, faults: 30 })
    expect(makePlan({ seed: 7, operations: 300, faults: 30 })).toEqual(plan)
    expect(makePlan({ seed: 8, operations: 300, faults: 30 })).not.toEqual(plan)
  })

  it.each([
    { operations: 200, faults: 15 },
    { operations: 10_000, faults: 500 },
  ])('has as many of both as it was asked for, and every kind: $operations, $faults', (size) => {
    const steps = makePlan({ seed: 1, ...size })
    expect(operationsOf(steps)).toHaveLength(size.operations)
    expect(faultsOf(steps)).toHaveLength(size.faults)
    expect(new Set(operationsOf(steps).map(({ kind }) => kind))).toEqual(new Set(operationKinds))
    expect(new Set(faultsOf(steps).map(({ kind }) => kind))).toEqual(new Set(faultKinds))
  })

  it('breaks nothing before there is something to break', () => {
    const steps = makePlan({ seed: 3, operations: 200, faults: 15 })
    expect(steps.findIndex((step) => 'fault' in step)).toBeGreaterThanOrEqual(20)
  })
})
