import { run } from '../../tests/support/images/docker-cli.ts'

const seconds = async (script: string, args: readonly string[]): Promise<number> => {
  const beganAt = performance.now()
  await run('bash', ['-c', `set -euo pipefail; ${script}`, 'bash', ...args])
  return (performance.now() - beganAt) / 1_000
}

/** What any program has to do at least: one `tar`, one `gzip`, and nobody who takes what comes out. */
export const packRaw = (directory: string, level: number): Promise<number> =>
  seconds('tar -C "$1" -c . | gzip "-$2" >/dev/null', [directory, String(level)])

export const unpackRaw = (archive: string, directory: string): Promise<number> =>
  seconds('mkdir "$2"; gzip -dc "$1" | tar -C "$2" -x', [archive, directory])
