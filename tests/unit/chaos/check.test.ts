import { describe, expect, it } from 'vitest'
import { missingKinds } from '../../chaos/check/kinds.ts'
import { checkAll, type Rule, rules } from '../../chaos/check/rules.ts'
import type { Evidence, SessionRow } from '../../chaos/evidence.ts'
import { crashed, deploymentId, event, honest, operation, row, running, serverId } from './doctored.ts'

/** For each promise, ways to break it: each alone must be noticed by that promise's rule. */
const falsified: Record<Rule, Record<string, (evidence: Evidence) => void>> = {
  'no container without a session': {
    'a container is left': ({ ended, settled }) =>
      void ended.containers.push({ ...settled.containers[0]!, sessionId: 'crashed' }),
    'a network is left': ({ settled }) => void settled.networks.push({ name: 'left', sessionId: 'crashed' }),
    'a container nobody knows has run': ({ containerEvents }) =>
      void containerEvents.push(event({ action: 'start', sessionId: 'stranger', atMs: 150 })),
    'a container ran on another server': ({ containerEvents }) =>
      void Object.assign(containerEvents[0]!, { serverId: 'elsewhere' }),
  },
  'no live session without a container': {
    'its container is gone': ({ settled }) => void settled.containers.pop(),
    'it never came to run': ({ settled }) => void Object.assign(settled.sessions[1]!, { status: 'STARTING' }),
    'it lives after the end': ({ ended }) => void ended.sessions.splice(1, 1, structuredClone(running)),
  },
  'a start is applied once at most': {
    'two containers': ({ containerEvents }) =>
      void containerEvents.push(event({ action: 'start', sessionId: 'crashed', containerId: 'again', atMs: 250 })),
    'one container twice': ({ containerEvents }) =>
      void containerEvents.push(event({ action: 'start', sessionId: 'crashed', atMs: 250 })),
    'the game knows better': ({ games }) => void games[0]!.starts.push('another mark'),
  },
  'one container at a time in a deployment': {
    'the next began too early': ({ containerEvents, ended }) => {
      ended.sessions.push(row({ ...crashed, id: 'next' }))
      containerEvents.splice(1, 0, event({ action: 'start', sessionId: 'next', atMs: 150 }))
    },
  },
  'one live session at a time in a deployment': {
    'two live rows': ({ changes }) => {
      const after = row({ id: 'twin', status: 'PENDING' })
      changes.splice(1, 0, { sessionId: 'twin', before: null, after })
    },
  },
  'an accepted start ran, or says why not': {
    'it never ran': ({ containerEvents }) => void containerEvents.splice(0, 1),
    'nobody knows it': ({ ended }) => void ended.sessions.splice(0, 1),
  },
  'no failure without a cause': {
    'nothing was broken': ({ ended }) => void Object.assign(ended.sessions[0]!, { status: 'FAILED', end_reason: 'DOCKER_ERROR' }),
  },
  'no session that nobody asked for': {
    'a refused start has begun': ({ operations }) =>
      void Object.assign(operations[0]!, {
        answers: [{ outcome: 'refused', code: 'CONFLICT', message: '', askedAtMs: 0, answeredAtMs: 1 }],
      }),
    'out of nowhere': ({ ended }) => void ended.sessions.push(row({ ...crashed, id: 'third', idempotency_key: 'op-9' })),
  },
  'a repeated key gives the same session': {
    'two answers': ({ operations }) =>
      void operations.push(
        operation({
          step: 0,
          kind: 'start-again',
          key: 'op-0',
          answers: [{ outcome: 'accepted', sessionId: 'another', askedAtMs: 0, answeredAtMs: 1 }],
        }),
      ),
    'two rows': ({ ended }) => void ended.sessions.push(row({ ...crashed, id: 'again' })),
  },
  'who was asked to end has ended': {
    'a stop was not obeyed': ({ operations }) => void operations.push(operation({ step: 5, kind: 'stop', sessionId: 'running' })),
    'one bound by a stop runs': ({ settled }) => void Object.assign(settled.sessions[1]!, { stop_requested_at: 'then' }),
  },
  'an accepted input is applied once': {
    twice: ({ games }) => void games[1]!.inputs.push({ number: 2, line: 'say op-3' }),
    never: ({ games, containerEvents }) => {
      games[1]!.inputs.pop()
      containerEvents[3]!.atMs = 60_000
    },
    'to another session': ({ operations }) => void Object.assign(operations[3]!, { sessionId: 'crashed' }),
    'though refused': ({ operations }) =>
      void Object.assign(operations[3]!, {
        answers: [{ outcome: 'refused', code: 'UNAVAILABLE', message: '', askedAtMs: 0, answeredAtMs: 1 }],
      }),
  },
  'every exit code and end is true': {
    'another code': ({ ended }) => void Object.assign(ended.sessions[0]!, { exit_code: 1 }),
    'another reason': ({ ended }) =>
      void Object.assign(ended.sessions[0]!, { status: 'STOPPED', exit_code: 7, end_reason: 'EXITED' }),
    'the game knows better': ({ games }) => void Object.assign(games[0]!, { exit: { code: 3, why: 'told' } }),
    'it still runs': ({ containerEvents }) => void containerEvents.pop(),
    'killed without being asked': ({ ended }) => void Object.assign(ended.sessions[1]!, { stop_requested_at: null }),
  },
  'no illegal transition': {
    'back to running': ({ changes }) =>
      void changes.splice(2, 1, {
        sessionId: 'crashed',
        before: row({ ...crashed, status: 'STOPPING' }),
        after: row({ id: 'crashed' }),
      }),
    'an older revision': ({ changes }) => void Object.assign(changes[2]!.after, { revision: 1 }),
    'shown to a subscriber': ({ seen }) => void seen.push({ sessionId: 'crashed', status: 'RUNNING', connection: 2 }),
  },
  'history is unchanged': {
    'rewritten for a moment': ({ changes }) =>
      void changes.push({ sessionId: 'crashed', before: crashed, after: row({ ...crashed, exit_code: 0 }) }),
    'rewritten for good': ({ ended }) => void Object.assign(ended.sessions[0]!, { end_message: 'it was nothing' }),
  },
  'no port is held twice': {
    'in the database': ({ ended }) => void ended.ports.push({ ...ended.ports[0]!, deploymentId: 'second' }),
    'by word': ({ operations }) =>
      void operations.push(operation({ step: 4, kind: 'deploy-race', deploymentId: null, port: 30_020 })),
    'by two containers': ({ settled }) => void settled.containers.push(structuredClone(settled.containers[0]!)),
    'promised and not held': ({ ended }) => void ended.ports.pop(),
  },
  'no port or deployment is leaked': {
    'something listens': ({ ended }) => void ended.listening.push(30_001),
    'nothing runs there': ({ settled }) => void settled.listening.push(30_000),
    'the deployment stays held': ({ ended }) => void ended.openOperations.push({ deploymentId, subjectId: 'crashed' }),
    'on another port': ({ settled }) => void Object.assign(settled.containers[0]!, { hostPorts: [30_002] }),
    'a live session holds nothing': ({ settled }) => void settled.openOperations.pop(),
  },
  'nothing ends or fails unexpectedly': {
    'a program has ended': ({ unaskedEnds }) => void unaskedEnds.push('processor ended by itself: exit 1'),
    'a masked error': ({ operations }) =>
      void operations[0]!.answers.push({
        outcome: 'unknown',
        why: 'INTERNAL_SERVER_ERROR: Something went wrong',
        askedAtMs: 0,
        answeredAtMs: 1,
      }),
  },
}

const cases = Object.entries(falsified).flatMap(([rule, ways]) =>
  Object.entries(ways).map(([way, falsify]) => ({ rule, way, falsify })),
)

describe('the checker', () => {
  it('finds nothing wrong with an honest run', () => {
    expect(checkAll(honest())).toEqual([])
  })

  it('is tried on every promise', () => {
    expect(Object.keys(falsified)).toEqual(Object.keys(rules))
  })

  it.each(cases)('$rule: notices it when $way', ({ rule, falsify }) => {
    const evidence = honest()
    falsify(evidence)
    expect(checkAll(evidence).map((violation) => violation.rule)).toContain(rule)
  })

  it('allows what may happen', () => {
    const evidence = honest()
    // A start that failed with the state of its host, and a line that an ending game left unread.
    const lost = row({
      ...crashed,
      id: 'lost',
      status: 'FAILED',
      exit_code: null,
      idempotency_key: 'op-6',
      end_reason: 'X',
      end_message: 'why',
    })
    evidence.operations.push(
      operation({
        step: 6,
        kind: 'start',
        key: 'op-6',
        answers: [{ outcome: 'unknown', why: 'ECONNRESET', askedAtMs: 0, answeredAtMs: 1 }],
      }),
    )
    evidence.operations.push(operation({ step: 7, kind: 'input', sessionId: 'crashed', key: 'op-7', input: 'say op-7' }))
    evidence.faults.push({ step: 8, kind: 'wipe-state', target: 'host-0', serverId, fromMs: 0, toMs: 1 })
    evidence.settled.sessions.push(lost)
    evidence.ended.sessions.push(lost)
    expect(checkAll(evidence)).toEqual([])
  })

  describe('of a host that lost its files after a game had ended', () => {
    const endedBefore = (lossMs: number): Evidence => {
      const evidence = honest()
      const { atMs } = evidence.containerEvents[2]!
      const fault = {
        step: 8,
        kind: 'wipe-state' as const,
        target: 'host-0',
        serverId,
        fromMs: atMs + lossMs,
        toMs: atMs + lossMs + 1,
      }
      evidence.faults.push(fault)
      return evidence
    }
    const tellEnd = (evidence: Evidence, end: Partial<SessionRow>): string[] => {
      const { ended, settled, history, changes, games, containerEvents } = evidence
      const rows = [...ended.sessions, ...settled.sessions, ...history, ...changes.slice(2, 3).map(({ after }) => after)]
      for (const known of rows.filter(({ id }) => id === 'crashed')) Object.assign(known, end)
      const exitCode = end.exit_code === 0 ? 0 : 7
      Object.assign(games[0]!, { exit: { code: exitCode, why: 'signal' } })
      Object.assign(containerEvents[2]!, { exitCode })
      return checkAll(evidence).map(({ rule }) => rule)
    }
    const rule = 'every exit code and end is true'

    it.each([
      ['what its container shows', { exit_code: 7, status: 'CRASHED', end_reason: 'CRASHED' }],
      ['a good end', { exit_code: 0, status: 'STOPPED', end_reason: 'EXITED' }],
      ['that nothing is known', { exit_code: null, status: 'FAILED', end_reason: 'STATE_LOST' }],
    ] as const)('allows %s', (_, end) => {
      expect(tellEnd(endedBefore(1_000), end)).not.toContain(rule)
    })

    it.each([
      ['another exit code', 1_000, { exit_code: 3, status: 'CRASHED', end_reason: 'CRASHED' }],
      ['that nothing is known, for another reason', 1_000, { exit_code: null, status: 'FAILED', end_reason: 'DOCKER_ERROR' }],
      [
        'that nothing is known, long after it could have told',
        61_000,
        { exit_code: null, status: 'FAILED', end_reason: 'STATE_LOST' },
      ],
      ['that nothing is known, when it was lost before', -1_000, { exit_code: null, status: 'FAILED', end_reason: 'STATE_LOST' }],
    ] as const)('does not allow %s', (_, lossMs, end) => {
      expect(tellEnd(endedBefore(lossMs), end)).toContain(rule)
    })
  })

  it('says what a run has not done', () => {
    const missing = missingKinds(honest())
    expect(missing).toContain('no restart was accepted')
    expect(missing).toContain('no wipe-state happened')
    expect(missing).not.toContain('no crash was accepted')
  })
})
