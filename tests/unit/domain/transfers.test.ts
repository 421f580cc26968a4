import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  nextMove,
  type TransferLimits,
  type TransferMove,
  type TransferSession,
  type TransferState,
  type TransferView,
} from '../../../lib/domain/transfers.ts'

/** A small world: what each act does to it, with faults where the test wants them. */
interface World {
  state: TransferState
  isOnTarget: boolean
  isHeld: boolean
  sessions: TransferSession[]
  backup: TransferView['backup']
  restore: TransferView['restore']
  targetOnline: boolean
  resumed: boolean
  ended: TransferMove | undefined
}

const limits: TransferLimits = { stopMs: 5, copyMs: 5, startMs: 5, killMs: 5 }

const session = (id: string, given: Partial<TransferSession> = {}): TransferSession => ({
  id,
  status: 'RUNNING',
  startedAt: new Date(0),
  ready: true,
  stopRequested: false,
  endMessage: null,
  ...given,
})

const isLive = ({ status }: TransferSession): boolean => !['STOPPED', 'CRASHED', 'FAILED'].includes(status)

const newWorld = (ran: boolean, hasData: boolean): World => ({
  state: {
    step: ran ? 'STOPPING' : hasData ? 'BACKING_UP' : 'PLACING',
    sessionId: null,
    restarts: ran,
    backupId: hasData ? 'backup' : null,
    startedSessionId: null,
    killedSessionId: null,
    error: null,
  },
  isOnTarget: false,
  isHeld: !ran,
  sessions: ran ? [session('first')] : [],
  backup: undefined,
  restore: undefined,
  targetOnline: true,
  resumed: false,
  ended: undefined,
})

const find = (world: World, id: string | null) => world.sessions.find((one) => one.id === id)

const viewOf = (world: World, stepMs: number): TransferView => ({
  isDeleted: false,
  active: world.sessions.find(isLive),
  stopped: find(world, world.state.sessionId),
  started: find(world, world.state.startedSessionId),
  backup: world.backup,
  otherBackup: false,
  restore: world.restore,
  targetOnline: world.targetOnline,
  stepMs,
})

const mayFail = new Set<TransferMove['kind']>(['backup', 'place', 'restore', 'switch', 'start'])

/** Does what the processor does; `fails` says that it can't. */
const act = (world: World, planned: TransferMove, fails: boolean): void => {
  const { state } = world
  const move: TransferMove = fails && mayFail.has(planned.kind) ? { kind: 'roll-back', error: 'refused' } : planned
  const go = (step: TransferState['step']): void => {
    state.step = step
  }
  const acts: Record<TransferMove['kind'], () => void> = {
    wait: () => undefined,
    stop: () => {
      state.sessionId = 'first'
      find(world, 'first')!.status = 'STOPPING'
    },
    kill: () => {
      state.killedSessionId = move.kind === 'kill' ? move.sessionId : null
    },
    abandon: () => {
      find(world, state.killedSessionId)!.status = 'STOPPED'
    },
    hold: () => {
      world.isHeld = true
      go(state.backupId ? 'BACKING_UP' : 'PLACING')
    },
    backup: () => {
      world.backup = { status: 'RUNNING', error: null }
    },
    place: () => go(state.backupId ? 'RESTORING' : 'SWITCHING'),
    restore: () => {
      world.restore = { status: 'RUNNING', error: null }
    },
    switch: () => {
      world.isOnTarget = true
      go('STARTING')
    },
    start: () => {
      state.startedSessionId = 'there'
      world.isHeld = false
      world.sessions.push(session('there', { status: 'PENDING', startedAt: null }))
    },
    undo: () => {
      world.isOnTarget = false
      world.isHeld = true
      go('RESUMING')
    },
    resume: () => {
      world.resumed = true
      world.ended = move
    },
    go: () => go(move.kind === 'go' ? move.to : state.step),
    'roll-back': () => {
      state.error = move.kind === 'roll-back' ? move.error : null
      go('ROLLING_BACK')
    },
    finish: () => {
      world.ended = move
    },
    fail: () => {
      world.ended = move
    },
  }
  acts[move.kind]()
}

/** Something outside happens, or nothing. */
const happen = (world: World, what: string): void => {
  const first = find(world, 'first')
  const there = find(world, 'there')
  if (what === 'ends' && first?.status === 'STOPPING') first.status = 'STOPPED'
  if (what === 'copied') for (const job of [world.backup, world.restore]) if (job) job.status = 'COMPLETED'
  if (what === 'broken' && world.restore?.status === 'RUNNING') world.restore = { status: 'FAILED', error: 'full' }
  else if (what === 'broken' && world.backup?.status === 'RUNNING') world.backup = { status: 'FAILED', error: 'full' }
  if (what === 'runs' && there && isLive(there)) Object.assign(there, { status: 'RUNNING', startedAt: new Date(0) })
  if (what === 'dies' && there && isLive(there)) there.status = 'FAILED'
  if (what === 'offline') world.targetOnline = false
}

const happenings = fc.array(
  fc.record({
    what: fc.constantFrom('ends', 'ends', 'copied', 'copied', 'broken', 'runs', 'dies', 'offline', 'nothing'),
    fails: fc.boolean(),
  }),
  { maxLength: 40 },
)

/** The world when the move has ended, or long after it should have. */
const live = (world: World, all: readonly { what: string; fails: boolean }[]): World => {
  let stepMs = 0
  for (let look = 0; look < 200 && !world.ended; look++) {
    const { what, fails } = all[look] ?? { what: 'nothing', fails: false }
    happen(world, what)
    const { step } = world.state
    act(world, nextMove(world.state, viewOf(world, stepMs), limits), fails)
    stepMs = world.state.step === step ? stepMs + 1 : 0
  }
  return world
}

describe('a move of a deployment', () => {
  it('comes to an end whatever happens: there with all it had, or back and running again', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), happenings, (ran, hasData, all) => {
        const world = live(newWorld(ran, hasData), all)
        expect(world.ended).toBeDefined()
        if (world.ended?.kind === 'finish') {
          expect(world.isOnTarget).toBe(true)
          if (hasData) expect([world.backup?.status, world.restore?.status]).toEqual(['COMPLETED', 'COMPLETED'])
          return
        }
        // Stays on the target only with a session that would not die there, and says so.
        if (world.isOnTarget) expect(world.ended).toMatchObject({ error: expect.stringContaining('could not go back') })
        else if (!world.sessions.some(isLive)) expect(world.resumed).toBe(ran)
      }),
      { numRuns: 500 },
    )
  })

  it('does not stop for a session that was started in between', () => {
    const world = newWorld(true, true)
    act(world, nextMove(world.state, viewOf(world, 0), limits), false)
    happen(world, 'ends')
    world.sessions.push(session('other'))
    expect(nextMove(world.state, viewOf(world, 0), limits)).toEqual({
      kind: 'fail',
      error: 'A session was started meanwhile: other.',
    })
  })

  it('is over when somebody stops the session that was begun there', () => {
    const world = newWorld(true, true)
    Object.assign(world.state, { step: 'STARTING', startedSessionId: 'there' })
    world.sessions = [session('there', { status: 'STOPPED', startedAt: null, stopRequested: true })]
    expect(nextMove(world.state, viewOf(world, 0), limits)).toEqual({ kind: 'finish' })
  })

  it('ends at once when the deployment is deleted', () => {
    const world = newWorld(true, true)
    expect(nextMove(world.state, { ...viewOf(world, 0), isDeleted: true }, limits).kind).toBe('fail')
  })
})
