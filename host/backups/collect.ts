import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** How much may wait for it. V8 alone lets 32 MiB of buffers wait, and as much again in places that hold them. */
const everyBytes = 4 * 1024 * 1024

type Collect = (options: { type: 'minor' }) => void
let collect: Collect | undefined

/** V8 has it, and names it only when asked to. */
const collector = (): Collect => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as Collect
}

/**
 * Hears of bytes that pass through short-lived buffers, and has those collected after every 4 MiB: a young generation takes a
 * millisecond, and whole volumes pass.
 */
export const makeCollecting = () => {
  let bytes = 0
  return (passed: number): void => {
    bytes += passed
    if (bytes < everyBytes) return
    bytes = 0
    collect ??= collector()
    collect({ type: 'minor' })
  }
}
