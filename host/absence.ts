import { stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const keepEveryMs = 15_000

/**
 * Knows how long no agent was at work in this data directory, by the age of a file that one touches while it lives. A clock
 * that was set meanwhile is the machine's own: the absence is then as wrong as the clock.
 */
export const openAbsence = async (dataDir: string) => {
  const path = join(dataDir, 'alive')
  const touchedMs = await stat(path).then(
    (found) => found.mtimeMs,
    () => null, // the first agent here
  )
  let timer: NodeJS.Timeout | undefined
  // Missing once, an absence is only thought to be longer than it was.
  const touch = (): Promise<void> => {
    const now = new Date()
    return utimes(path, now, now).catch(() => writeFile(path, '', { mode: 0o600 }).catch(() => undefined))
  }

  return {
    /** 0 for the first agent. */
    awayMs: touchedMs === null ? 0 : Math.max(0, Date.now() - touchedMs),
    /** From now on an agent is at work. */
    keep: (): void => {
      void touch()
      timer = setInterval(() => void touch(), keepEveryMs)
      timer.unref()
    },
    close: (): void => clearInterval(timer),
  }
}
