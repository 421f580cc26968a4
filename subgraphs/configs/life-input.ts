import type { InputCheck } from '../../lib/domain/inputs.ts'
import type { PortDefinition } from '../../lib/domain/ports.ts'
import { defaultRestartPolicy, type RestartMode, type RestartPolicy } from '../../lib/domain/restart-policy.ts'
import { patternFault } from '../../lib/parameters/patterns.ts'
import type { CreateGameConfigInput } from './game-config-input.ts'
import type { NewGameConfig } from './store.ts'

const maxPatternLength = 1_000
const maxSeconds = 86_400
const maxRetries = 1_000

/** How a game shows that it lives: when it is ready, and what its silence means. */
export const parseLife = (
  check: InputCheck,
  input: Pick<CreateGameConfigInput, 'readyPattern' | 'readyTimeoutSeconds' | 'watchdog'>,
  ports: readonly PortDefinition[],
): Pick<NewGameConfig, 'readyPattern' | 'readyTimeoutSeconds' | 'watchdog'> => {
  const { readyPattern = null, readyTimeoutSeconds = null } = input
  if (readyPattern !== null) checkPattern(check, readyPattern)
  if (readyTimeoutSeconds !== null) {
    check.integer('readyTimeoutSeconds', readyTimeoutSeconds, 1, maxSeconds)
    if (readyPattern === null) check.refuse('readyTimeoutSeconds', 'needs a readyPattern to wait for')
  }
  return { readyPattern, readyTimeoutSeconds, watchdog: parseWatchdog(check, input.watchdog, ports) }
}

const checkPattern = (check: InputCheck, pattern: string): void => {
  if (check.text('readyPattern', pattern, maxPatternLength) === undefined) return
  const fault = patternFault(pattern)
  if (fault) check.refuse('readyPattern', fault)
}

const parseWatchdog = (
  check: InputCheck,
  watchdog: CreateGameConfigInput['watchdog'],
  ports: readonly PortDefinition[],
): NewGameConfig['watchdog'] => {
  if (!watchdog) return null
  const { kind, seconds, port = null } = watchdog
  check.integer('watchdog.seconds', seconds, 1, maxSeconds)
  if (kind === 'NO_OUTPUT' && port !== null) check.refuse('watchdog.port', 'is for a watchdog of kind PORT')
  if (kind === 'PORT' && !ports.some(({ name, protocol }) => name === port && protocol === 'TCP'))
    check.refuse('watchdog.port', 'must be the name of a declared TCP port')
  return { kind, seconds, port }
}

export interface RestartPolicyInput {
  mode: RestartMode
  maxRetries?: number | null
  windowSeconds?: number | null
}

/** What is left out comes from the default. */
export const parseRestartPolicy = (check: InputCheck, input: RestartPolicyInput | null | undefined): RestartPolicy => {
  if (!input) return defaultRestartPolicy
  const policy = {
    mode: input.mode,
    maxRetries: input.maxRetries ?? defaultRestartPolicy.maxRetries,
    windowSeconds: input.windowSeconds ?? defaultRestartPolicy.windowSeconds,
  }
  check.integer('restartPolicy.maxRetries', policy.maxRetries, 0, maxRetries)
  check.integer('restartPolicy.windowSeconds', policy.windowSeconds, 1, maxSeconds)
  return policy
}
