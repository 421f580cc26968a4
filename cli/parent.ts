import type { ReadyMessage } from './up/child.ts'

/** Whether `manman up` started this process. */
const hasParent = (): boolean => process.send !== undefined

/** Ends this process in order when the one that started it is gone: nobody else would. Without such a parent it does nothing. */
export const endWithParent = (): void => {
  if (hasParent()) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
}

/** Waits until the parent lets us go to work; resolves at once without one. */
export const waitForParent = async (): Promise<void> => {
  if (!hasParent()) return
  await new Promise<void>((resolve) => process.once('message', () => resolve()))
}

/** Tells the parent that we work. */
export const tellParent = (message: ReadyMessage): void => {
  if (hasParent() && process.connected) process.send?.(message)
}
