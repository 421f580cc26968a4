import { execFile } from 'node:child_process'
import { chownSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ServiceFault } from './service.ts'

const run = promisify(execFile)

/** How to start a program that refuses to run as root: words to put before its command, and who then owns its files. */
export interface RunAs {
  prefix: readonly string[]
  owner: { uid: number; gid: number } | undefined
}

/** PostgreSQL looks its user up by number, so it has to be an account; these are on every Linux, with nothing to lose. */
const accounts = ['daemon', 'nobody']

/**
 * PostgreSQL refuses uid 0, and a clone below a 0700 home can't be reached by another user. So root either becomes an
 * unprivileged account inside a user namespace, where files stay root's own, or, where namespaces are forbidden (default
 * Docker containers), becomes that account with the one capability of reaching its files.
 */
export const findRunAs = async (): Promise<RunAs> => {
  if (process.getuid?.() !== 0) return { prefix: [], owner: undefined }
  const { uid, gid } = findAccount(readFileSync('/etc/passwd', 'utf8'))
  const namespace = ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--']
  if (await works(namespace)) return { prefix: namespace, owner: { uid: 0, gid: 0 } }
  const capability = [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=-all,+dac_override',
    '--ambient-caps=+dac_override',
    '--bounding-set=-all,+dac_override',
    '--',
  ]
  if (await works(capability)) return { prefix: capability, owner: { uid, gid } }
  throw new ServiceFault(
    'PostgreSQL refuses to run as root, and neither `unshare --user` nor `setpriv` works here: run as another user, or set DATABASE_URL',
  )
}

const findAccount = (passwd: string): { uid: number; gid: number } => {
  for (const account of accounts) {
    const [, uid, gid] = new RegExp(`^${account}:[^:]*:(\\d+):(\\d+):`, 'm').exec(passwd) ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new ServiceFault(`PostgreSQL refuses to run as root, and /etc/passwd has no ${accounts.join(' or ')}: set DATABASE_URL`)
}

const works = async ([program, ...args]: readonly string[]): Promise<boolean> => {
  try {
    await run(program!, [...args, 'true'], { timeout: 5_000 })
    return true
  } catch {
    return false
  }
}

/** Gives a directory and all in it to `owner`, when its root is not theirs yet. */
export const giveTo = (path: string, owner: RunAs['owner']): void => {
  const stat = owner && lstatSync(path, { throwIfNoEntry: false })
  if (!stat || stat.uid === owner.uid) return
  // The root last: were this interrupted, the next start would see it unchanged and begin again.
  if (stat.isDirectory()) for (const name of readdirSync(path)) giveTo(join(path, name), owner)
  chownSync(path, owner.uid, owner.gid)
}
