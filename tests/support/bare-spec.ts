import type { SessionSpec } from '../../lib/messages/session-spec.ts'

/** An image as it is: nothing mounted but its volume, no port, no limit. */
export const bareSpec: SessionSpec = {
  image: 'game:1',
  pullPolicy: 'IF_MISSING',
  entrypoint: null,
  command: null,
  env: {},
  user: null,
  workingDir: null,
  tty: false,
  capabilities: [],
  readOnlyRootfs: false,
  volumePath: '/data/game',
  volumes: [],
  ports: [],
  hostNetwork: false,
  links: [],
  resources: { memoryMb: null, cpus: null, pids: null },
  stop: { kind: 'STDIN', value: 'quit', graceSeconds: 5 },
  readyPattern: null,
  readyTimeoutSeconds: null,
  watchdog: null,
  files: [],
  values: {},
  secrets: null,
  timeoutSeconds: null,
}

/** No secrets to put in, and no files to write. */
export const asItIs = { reveal: (text: string): string => text, fill: async (): Promise<void> => {} }
