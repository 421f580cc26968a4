import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { randomSecret, writePrivate } from './services/state-file.ts'

/** The directory that holds everything ManMan keeps on this machine, mode 0700. */
export interface Home {
  dir: string
  log(name: string): string
  adminTokenFile: string
  internalKeyFile: string
  /** Lost, it takes the secrets in the database with it. */
  secretKeyFile: string
  /** The local host agent's own directory. */
  hostDir: string
}

/** Where it is, there or not. */
export const homeDir = (env: NodeJS.ProcessEnv): string => resolve(env.MANMAN_HOME || '.manman')

/** Opens it, making what a first start makes: the admin token, the key of the internal identity and that of secrets, mode 0600. */
export const openHome = (env: NodeJS.ProcessEnv): Home => {
  const dir = homeDir(env)
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 })
  chmodSync(dir, 0o700)
  const home: Home = {
    dir,
    log: (name) => join(dir, 'logs', `${name}.log`),
    adminTokenFile: join(dir, 'admin-token'),
    internalKeyFile: join(dir, 'internal-key'),
    secretKeyFile: join(dir, 'secret-key'),
    // Read when asked for: of all that open this directory, only `up` has a host.
    get hostDir() {
      return resolve(env.MANMAN_DATA_DIR || join(dir, 'host'))
    },
  }
  // The prefix lets scanners of leaked secrets, and people, tell what it is.
  if (!existsSync(home.adminTokenFile)) writePrivate(home.adminTokenFile, `mm_${randomSecret()}\n`)
  for (const file of [home.internalKeyFile, home.secretKeyFile]) if (!existsSync(file)) writePrivate(file, `${randomSecret()}\n`)
  return home
}

export const readAdminToken = (home: Home): string => readFileSync(home.adminTokenFile, 'utf8').trim()
