import type { Database } from '../lib/db/connect.ts'
import { inTransaction, type Transaction } from '../lib/db/transaction.ts'
import { ManManError, Outage, OutcomeUnknown, Unavailable } from '../lib/domain/errors.ts'
import { nextMove, type TransferLimits, type TransferMove } from '../lib/domain/transfers.ts'
import type { Logger } from '../lib/process/logger.ts'
import type { SessionsService } from '../subgraphs/sessions/service.ts'
import { holdLease, type Lease, LeaseLost, lookAtJobs, retryMs } from './leases.ts'
import { startLoop } from './loop.ts'
import type { Timings } from './timings.ts'
import * as rows from './transfer-rows.ts'

const atOnce = 20
/** Between two looks at what somebody else does. */
const lookMs = 1_000

/** What is done to sessions goes by the same rules as for people. */
type Sessions = Pick<SessionsService, 'start' | 'stop' | 'kill' | 'abandon'>

/**
 * Carries deployments to other servers, step by step: each is one transaction, or does the same however often it is done. A
 * move is leased by one processor at a time; whoever takes over goes on from its row. What fails before its end goes back.
 */
export const startTransfers = (options: {
  db: Database
  sessions: Sessions
  logger: Logger
  timings: Timings
  limits?: TransferLimits
}) => {
  const { db, logger, timings } = options
  const counters = { completed: 0, failed: 0 }
  let isClosing = false

  /** Does what can be done of a move now. Answers after how many ms it is to be looked at again. */
  const advance = async (lease: Lease): Promise<number> => {
    while (!isClosing) {
      const [transfer, view] = await inTransaction(db, async (tx) => {
        const read = await rows.readTransfer(tx, lease)
        return [read, await rows.viewOfTransfer(tx, read)] as const
      })
      const move = nextMove(transfer, view, options.limits)
      if (move.kind === 'wait') return lookMs
      const waitMs = await act(options, lease, transfer, move)
      if (move.kind === 'finish' && waitMs === 0) counters.completed++
      if (move.kind === 'fail') counters.failed++
      if (waitMs > 0 || move.kind === 'finish' || move.kind === 'fail') return waitMs
    }
    return 0
  }

  const work = async (): Promise<void> => {
    const jobs = { db, table: 'backups.transfers', leaseMs: timings.leaseMs, limit: atOnce, advance, logger } as const
    if (await lookAtJobs(jobs)) loop.wake()
  }
  const loop = startLoop({ name: 'transfers', everyMs: timings.scheduleEveryMs, work, logger })

  return {
    /** Since start: moves that came to their end, and that did not. */
    counters: () => ({ ...counters }),
    works: loop.works,
    close: (): Promise<void> => {
      isClosing = true
      return loop.close()
    },
  }
}

type Deps = Parameters<typeof startTransfers>[0]
type Act = Exclude<TransferMove, { kind: 'wait' }>

/** Does it; what can't be done goes back, or is tried again where it may pass. Answers after how many ms to look again. */
const act = async (deps: Deps, lease: Lease, transfer: rows.LeasedTransfer, move: Act): Promise<number> => {
  try {
    await perform(deps, lease, transfer, move)
    return 0
  } catch (error) {
    if (error instanceof Outage || error instanceof LeaseLost) throw error
    const isExpected = error instanceof ManManError
    if (!isExpected) deps.logger.error({ err: error, transferId: transfer.id, move: move.kind }, 'a step of a move failed')
    const mayPass = !isExpected || error instanceof Unavailable || error instanceof OutcomeUnknown || move.kind === 'undo'
    if (mayPass && transfer.stepMs < deps.timings.tryAgainMs) return retryMs
    const message = isExpected ? error.message : 'It failed on our side; the log says more.'
    await perform(deps, lease, transfer, afterFailure(transfer, move, message))
    return 0
  }
}

const afterFailure = ({ step, error }: rows.LeasedTransfer, { kind }: Act, message: string): Act => {
  if (step === 'STOPPING' || kind === 'fail') return { kind: 'fail', error: message }
  if (step === 'RESUMING') return { kind: 'fail', error: `${error} The session could not be started again: ${message}` }
  if (step === 'ROLLING_BACK') return { kind: 'fail', error: `${error} It could not go back: ${message}` }
  return { kind: 'roll-back', error: message }
}

const perform = async ({ db, sessions }: Deps, lease: Lease, transfer: rows.LeasedTransfer, move: Act): Promise<void> => {
  const { id, serverGameConfigId, actor } = transfer
  const alone = (work: (tx: Transaction) => Promise<void>): Promise<void> =>
    inTransaction(db, async (tx) => {
      await holdLease(tx, lease)
      await work(tx)
    })
  switch (move.kind) {
    case 'stop':
      await sessions.stop(move.sessionId, actor)
      return alone((tx) => rows.writeTransfer(tx, transfer, { session_id: move.sessionId }))
    case 'kill':
      await sessions.kill(move.sessionId, actor)
      return alone((tx) => rows.writeTransfer(tx, transfer, { killed_session_id: move.sessionId }))
    case 'abandon':
      await sessions.abandon(move.sessionId, actor)
      return
    case 'start': {
      const start = { serverGameConfigId, idempotencyKey: `transfer:${id}` }
      const session = await sessions.start(start, actor, id)
      return alone((tx) => rows.writeTransfer(tx, transfer, { started_session_id: session.id }))
    }
    case 'resume':
      await sessions.start({ serverGameConfigId, idempotencyKey: `transfer:${id}:back` }, actor, id)
      return alone((tx) => rows.failTransfer(tx, transfer, transfer.error ?? ''))
    case 'go':
      return alone((tx) => rows.writeTransfer(tx, transfer, {}, move.to))
    case 'roll-back':
      return alone((tx) => rows.writeTransfer(tx, transfer, { error: move.error }, 'ROLLING_BACK'))
    case 'fail':
      return alone((tx) => rows.failTransfer(tx, transfer, move.error))
    default:
      return alone((tx) => inOneTransaction[move.kind](tx, transfer))
  }
}

const inOneTransaction = {
  hold: rows.holdDeployment,
  backup: rows.backUp,
  place: rows.placeThere,
  restore: rows.restoreThere,
  switch: rows.switchThere,
  undo: rows.undoTransfer,
  finish: rows.finishTransfer,
} satisfies Partial<Record<Act['kind'], (tx: Transaction, transfer: rows.LeasedTransfer) => Promise<void>>>
