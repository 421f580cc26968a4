import type { ContainerEvent, Evidence, Look, OperationRecord, RowChange, SessionRow } from '../../chaos/evidence.ts'

/** An honest run in miniature, for tests to falsify: one session that ended, one that runs until the end. */

export const serverId = 'server'
export const deploymentId = 'deployment'
export const otherId = 'other deployment'

export const row = (change: Partial<SessionRow> & Pick<SessionRow, 'id'>): SessionRow => ({
  server_game_config_id: deploymentId,
  server_id: serverId,
  status: 'RUNNING',
  revision: 2,
  idempotency_key: null,
  stop_requested_at: null,
  started_at: 'then',
  ended_at: null,
  exit_code: null,
  end_reason: null,
  end_message: null,
  restart_of: null,
  waits_for: null,
  created_by: 'admin',
  ...change,
})

export const crashed = row({
  id: 'crashed',
  status: 'CRASHED',
  revision: 3,
  idempotency_key: 'op-0',
  ended_at: 'then',
  exit_code: 7,
  end_reason: 'CRASHED',
})
export const running = row({ id: 'running', server_game_config_id: otherId, idempotency_key: 'op-1' })
export const killed = row({
  ...running,
  status: 'STOPPED',
  revision: 3,
  stop_requested_at: 'then',
  ended_at: 'then',
  exit_code: 137,
  end_reason: 'KILLED',
})

export const event = (
  change: Partial<ContainerEvent> & Pick<ContainerEvent, 'sessionId' | 'action' | 'atMs'>,
): ContainerEvent => ({
  containerId: `${change.sessionId}-container`,
  deploymentId: change.sessionId === 'running' ? otherId : deploymentId,
  serverId,
  exitCode: null,
  ...change,
})

export const operation = (change: Partial<OperationRecord> & Pick<OperationRecord, 'step' | 'kind'>): OperationRecord => ({
  deploymentId,
  sessionId: null,
  key: null,
  input: null,
  port: null,
  answers: [{ outcome: 'accepted', sessionId: null, askedAtMs: 0, answeredAtMs: 1 }],
  ...change,
})

const accepted = (sessionId: string | null) => [{ outcome: 'accepted' as const, sessionId, askedAtMs: 0, answeredAtMs: 1 }]

const nothing: Look = {
  atMs: 10 * 60_000,
  containers: [],
  networks: [],
  sessions: [],
  ports: [{ serverId, port: 30_020, protocol: 'TCP', deploymentId: 'raced' }],
  openOperations: [],
  listening: [],
  unsentMessages: 0,
}

const changesOf = (...rows: SessionRow[]): RowChange[] =>
  rows.map((after, index) => ({ sessionId: after.id, before: rows[index - 1] ?? null, after }))

/** All of its own: what one test changes is another's no more, nor the same row's elsewhere. */
export const honest = (): Evidence =>
  apart({
    deployments: [
      { id: deploymentId, serverId, hostPort: 30_000 },
      { id: otherId, serverId, hostPort: 30_001 },
    ],
    operations: [
      operation({ step: 0, kind: 'start', key: 'op-0', answers: accepted('crashed') }),
      operation({ step: 1, kind: 'start', deploymentId: otherId, key: 'op-1', answers: accepted('running') }),
      operation({ step: 2, kind: 'crash', sessionId: 'crashed', key: 'op-2', input: 'crash 7 op-2' }),
      operation({ step: 3, kind: 'input', sessionId: 'running', key: 'op-3', input: 'say op-3' }),
      operation({ step: 4, kind: 'deploy-race', deploymentId: null, port: 30_020 }),
    ],
    faults: [],
    containerEvents: [
      event({ action: 'start', sessionId: 'crashed', atMs: 100 }),
      event({ action: 'start', sessionId: 'running', atMs: 110 }),
      event({ action: 'die', sessionId: 'crashed', atMs: 200, exitCode: 7 }),
      event({ action: 'die', sessionId: 'running', atMs: 300, exitCode: 137 }),
    ],
    changes: [
      ...changesOf(row({ id: 'crashed', status: 'PENDING', revision: 0 }), row({ id: 'crashed' }), crashed),
      ...changesOf(row({ ...running, status: 'PENDING', revision: 0 }), running, killed),
    ],
    history: [crashed],
    seen: ['PENDING', 'RUNNING', 'CRASHED'].map((status) => ({ sessionId: 'crashed', status, connection: 1 })),
    games: [
      {
        containerId: 'crashed-cont',
        starts: ['mark'],
        inputs: [{ number: 1, line: 'crash 7 op-2' }],
        exit: { code: 7, why: 'told' },
      },
      { containerId: 'running-cont', starts: ['other mark'], inputs: [{ number: 1, line: 'say op-3' }], exit: null },
    ],
    unaskedEnds: [],
    settled: {
      ...nothing,
      containers: [
        {
          containerId: 'running-container',
          sessionId: 'running',
          deploymentId: otherId,
          serverId,
          isRunning: true,
          hostPorts: [30_001],
        },
      ],
      networks: [{ name: 'manman-running', sessionId: 'running' }],
      sessions: [crashed, running],
      openOperations: [{ deploymentId: otherId, subjectId: 'running' }],
      listening: [30_001],
    },
    ended: { ...nothing, sessions: [crashed, killed] },
  })

const apart = (evidence: Evidence): Evidence => JSON.parse(JSON.stringify(evidence))
