import { readSecret } from '../../lib/process/env.ts'
import { openHome } from '../home.ts'
import type { Handover } from '../progress.ts'
import { makeClaim } from './claim.ts'
import { publicDoor } from './listening.ts'
import { makeParts } from './parts.ts'
import { findServerFaults } from './preflight.ts'
import { startInOrder, watchParts } from './start.ts'
import { onStopSignals, stopInOrder } from './stop.ts'
import { showWelcome } from './welcome.ts'

/**
 * Runs ManMan on this machine until a signal stops it: the services it has to bring, the control plane in one process and
 * the host agent in another. A fault that can be known beforehand ends it before anything is started.
 */
export const up = async ({ progress, faults, fail, startedAt }: Handover): Promise<void> => {
  const env = process.env
  // A terminal that is closed, or a pipe whose reader left, must not keep us from ending things in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const all = [...faults, ...(await findServerFaults(env, faults))]
  if (all.length > 0) fail(all)

  const home = openHome(env)
  const claim = makeClaim(home)
  const ending = new AbortController()
  const hurry = new AbortController()
  const report = (line: string): void => {
    if (!ending.signal.aborted) progress.note(`  ${progress.paint(33, '!')} ${new Date().toTimeString().slice(0, 8)} ${line}`)
  }
  const parts = await makeParts(home, env, { report, changed: () => claim.write(parts) })
  claim.write(parts)

  const end = async (exitCode: number): Promise<void> => {
    if (ending.signal.aborted) return
    ending.abort()
    progress.done()
    await stopInOrder(parts, home, progress, hurry.signal)
    claim.release()
    process.exit(exitCode)
  }
  onStopSignals(
    () => void end(0),
    () => (hurry.signal.aborted ? process.exit(1) : hurry.abort()),
  )

  try {
    const adminToken = readSecret(env, 'MANMAN_ADMIN_TOKEN')
    const start = { parts, home, env, progress, adminToken, changed: () => claim.write(parts) }
    const { address, hasDocker } = await startInOrder(start)
    if (ending.signal.aborted) return
    const publicAddress = publicDoor(parts.listening, address, env)
    showWelcome(progress, { home, env, address, publicAddress, startedAt, hasDocker })
    watchParts(start, { hasDocker, signal: ending.signal, report })
  } catch (error) {
    if (ending.signal.aborted) return // what was starting has been stopped under its feet
    progress.done()
    process.stderr.write(`\n  ${progress.paint(31, '✖')} ${(error as Error).message}\n`)
    await end(1)
  }
}
