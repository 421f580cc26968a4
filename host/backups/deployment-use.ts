import { setTimeout as delay } from 'node:timers/promises'
import { Unavailable } from '../../lib/domain/errors.ts'
import type { Logger } from '../../lib/process/logger.ts'
import type { Containers } from '../docker/containers.ts'

const lookEveryMs = 500

/**
 * Keeps apart who makes a container on a deployment's volumes and who replaces them: while they are held no container is made,
 * and they are held only once none is there or being made.
 */
export const makeDeploymentUse = (options: {
  containers: Pick<Containers, 'list'>
  /** Volumes are free again: what waited may begin. */
  onFree: () => void
  logger: Logger
}) => {
  const held = new Set<string>()
  const creating = new Map<string, number>()

  return {
    isHeld: (deploymentId: string | null): boolean => deploymentId !== null && held.has(deploymentId),
    /** Runs `work`, which makes a container. */
    create: async <T>(deploymentId: string | null, work: () => Promise<T>): Promise<T> => {
      if (deploymentId === null) return work()
      if (held.has(deploymentId))
        throw new Unavailable('The volumes of this deployment are being replaced: it starts afterwards.')
      creating.set(deploymentId, (creating.get(deploymentId) ?? 0) + 1)
      try {
        return await work()
      } finally {
        const left = (creating.get(deploymentId) ?? 1) - 1
        if (left > 0) creating.set(deploymentId, left)
        else creating.delete(deploymentId)
      }
    },
    /** From now on no container is made. */
    hold: (deploymentId: string): void => void held.add(deploymentId),
    /** Resolves when none is there, or rejects when `signal` aborts. A Docker that is away is waited for. */
    untilFree: async (deploymentId: string, signal: AbortSignal): Promise<void> => {
      for (;;) {
        signal.throwIfAborted()
        const isUsed =
          creating.has(deploymentId) ||
          (await options.containers.list().then(
            (all) => all.some(({ sgcId }) => sgcId === deploymentId),
            (error) => {
              options.logger.debug({ err: error }, 'volumes may be in use: Docker does not say')
              return true
            },
          ))
        if (!isUsed) return
        await delay(lookEveryMs, undefined, { signal }).catch(() => undefined)
      }
    },
    release: (deploymentId: string): void => {
      if (held.delete(deploymentId)) options.onFree()
    },
  }
}
export type DeploymentUse = ReturnType<typeof makeDeploymentUse>
