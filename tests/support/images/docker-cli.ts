import { execFile, spawn } from 'node:child_process'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'

const exec = promisify(execFile)

/** Building takes minutes on a slow mirror, and must end. */
const limitMs = 10 * 60_000

/** Runs a program to its end; its error output becomes the message when it fails. */
export const run = async (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
  const { stdout } = await exec(program, args, { timeout: limitMs, maxBuffer: 64 << 20, env: { ...process.env, ...env } })
  return stdout
}

export const hasImage = (ref: string): Promise<boolean> =>
  run('docker', ['image', 'inspect', ref]).then(
    () => true,
    () => false,
  )

/** Makes an image of one layer from a directory, which needs no registry; `changes` are Dockerfile instructions. */
export const importDirectory = async (directory: string, ref: string, changes: readonly string[]): Promise<void> => {
  const tar = spawn('tar', ['-C', directory, '--numeric-owner', '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const args = ['import', ...changes.flatMap((change) => ['--change', change]), '-', ref]
  const docker = spawn('docker', args, { stdio: ['pipe', 'ignore', 'inherit'], timeout: limitMs })
  const ended = new Promise<number | null>((resolve, reject) => docker.once('close', resolve).once('error', reject))
  await pipeline(tar.stdout, docker.stdin)
  const code = await ended
  if (code !== 0) throw new Error(`docker import of ${ref} ended with ${code}`)
}
