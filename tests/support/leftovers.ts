import { run } from './images/docker-cli.ts'

/** Removes the containers and networks of one environment, and fails when there were any: whoever starts games ends them. */
export const removeLeftovers = async (environment: string): Promise<void> => {
  const filter = ['--filter', `label=manman.env=${environment}`]
  const containers = lines(await run('docker', ['ps', '--all', '--format', '{{.Names}}', ...filter]))
  const networks = lines(await run('docker', ['network', 'ls', '--format', '{{.Name}}', ...filter]))
  if (containers.length > 0) await run('docker', ['rm', '--force', '--volumes', ...containers])
  if (networks.length > 0) await run('docker', ['network', 'rm', ...networks])
  const left = [...containers.map((name) => `container ${name}`), ...networks.map((name) => `network ${name}`)]
  if (left.length > 0) throw new Error(`the test left behind: ${left.join(', ')}`)
}

const lines = (text: string): string[] => text.split('\n').filter(Boolean)
