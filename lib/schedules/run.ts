import type { RunStep, runStatuses } from './plan.ts'

/** What of a step has changed. */
export type StepPatch = Partial<Pick<RunStep, 'status' | 'error' | 'note' | 'sessionId' | 'warned' | 'nextAt' | 'tryUntil'>>

const isOpen = ({ status }: RunStep): boolean => status === 'PENDING' || status === 'RUNNING'

/** The step that is to be looked at; undefined when all have ended. */
export const currentStep = (steps: readonly RunStep[]): RunStep | undefined => steps.find(isOpen)

/** The steps with the current one begun under this id. */
export const beginStep = (steps: readonly RunStep[], id: string, now: Date): RunStep[] => {
  const current = currentStep(steps)
  return steps.map((step) => (step === current ? { ...step, status: 'RUNNING', id, startedAt: now.toISOString() } : step))
}

/** The steps with what has changed of the current one; after a failure that ends the run the others are skipped. */
export const patchStep = (steps: readonly RunStep[], patch: StepPatch, now: Date): RunStep[] => {
  const current = currentStep(steps)
  if (!current) return [...steps]
  const patched = { ...current, ...patch }
  if (!isOpen(patched)) patched.endedAt = now.toISOString()
  const isOver = patched.status === 'FAILED' && patched.onFailure === 'STOP'
  return steps.map((step) => {
    if (step === current) return patched
    return isOver && isOpen(step) ? { ...step, status: 'SKIPPED' } : step
  })
}

/** How the run ends; null while a step is open. */
export const runEnd = (steps: readonly RunStep[]): { status: (typeof runStatuses)[number]; error: string | null } | null => {
  if (currentStep(steps)) return null
  const at = steps.findIndex(({ status, onFailure }) => status === 'FAILED' && onFailure === 'STOP')
  const failed = steps[at]
  if (!failed) return { status: 'COMPLETED', error: null }
  return { status: 'FAILED', error: `Step ${at + 1}, ${failed.kind}: ${failed.error}` }
}

/** The steps of a run that is given up, whatever was to be done should one fail. */
export const giveUp = (steps: readonly RunStep[], error: string, now: Date): RunStep[] => {
  const lastChance = steps.map((step): RunStep => (step === currentStep(steps) ? { ...step, onFailure: 'STOP' } : step))
  return patchStep(lastChance, { status: 'FAILED', error }, now)
}
