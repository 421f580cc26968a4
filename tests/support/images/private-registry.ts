import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pickPorts } from '../../../cli/services/state-file.ts'
import { eventually } from '../eventually.ts'
import { run } from './docker-cli.ts'

/** The registry program from Debian, on this machine's loopback; whoever pulls from it must log in. */
export interface PrivateRegistry {
  /** As images name it. */
  host: string
  username: string
  password: string
  /** Puts a copy of an image of this machine there, and answers its reference, which nothing here has. */
  push(image: string, name: string): Promise<string>
  /** Ends the program; what it keeps stays. */
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

const username = 'player'
const password = 'hunter2-of-the-private-registry'
/** `htpasswd -nbB` of the two: bcrypt is the only form the program takes. */
const htpasswd = 'player:$2b$04$etyUR1h9H.1dC.HfHtNvbe82CefTfQfI0LPJ182L7yAbAnK.6Vtya\n'

const configOf = (dir: string, host: string): string => `version: 0.1
storage:
  filesystem:
    rootdirectory: ${path.join(dir, 'images')}
http:
  addr: ${host}
auth:
  htpasswd:
    realm: test
    path: ${path.join(dir, 'htpasswd')}
`

export const openPrivateRegistry = async (): Promise<PrivateRegistry> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'private-registry-'))
  const [port] = await pickPorts(1)
  const host = `127.0.0.1:${port}`
  const login = Buffer.from(`${username}:${password}`).toString('base64')
  const dockerConfig = path.join(dir, 'docker')
  await mkdir(dockerConfig)
  await writeFile(path.join(dir, 'htpasswd'), htpasswd)
  await writeFile(path.join(dir, 'config.yml'), configOf(dir, host))
  await writeFile(path.join(dockerConfig, 'config.json'), JSON.stringify({ auths: { [host]: { auth: login } } }))
  const pushed: string[] = []
  let stop = async (): Promise<void> => undefined

  const start = async (): Promise<void> => {
    const program = spawn('docker-registry', ['serve', path.join(dir, 'config.yml')], { stdio: 'ignore' })
    const ended = new Promise<void>((resolve) => program.once('close', () => resolve()).once('error', () => resolve()))
    stop = async () => {
      program.kill('SIGKILL')
      await ended
    }
    const answers = () => fetch(`http://${host}/v2/`).then((response) => response.status === 401)
    await eventually(() => answers().catch(() => false), { what: 'the registry (apt-get install docker-registry) answers' })
  }
  await start()

  return {
    host,
    username,
    password,
    push: async (image, name) => {
      const ref = `${host}/${name}`
      await run('docker', ['tag', image, ref])
      await run('docker', ['push', ref], { DOCKER_CONFIG: dockerConfig })
      await run('docker', ['image', 'rm', ref])
      pushed.push(ref)
      return ref
    },
    stop: () => stop(),
    start,
    close: async () => {
      await stop()
      for (const ref of pushed) await run('docker', ['image', 'rm', '--force', ref]).catch(() => undefined) // never pulled
      await rm(dir, { recursive: true, force: true })
    },
  }
}
