// Programs of the operating system that ManMan needs, and how to get those that are missing.
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const onPath = (...names) =>
  [...(process.env.PATH || '').split(delimiter), '/usr/sbin', '/sbin'].some((dir) =>
    names.some((name) => isExecutable(join(dir, name))),
  )

const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const dockerIsThere = (env) =>
  Boolean(env.DOCKER_HOST || env.DOCKER_SOCKET) || existsSync('/var/run/docker.sock') || onPath('dockerd')

const rabbitIsThere = (env) =>
  Boolean(env.AMQP_URL) ||
  existsSync('/usr/lib/rabbitmq/bin/rabbitmq-server') ||
  existsSync('/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server')

/** Debian's name of each package, when it is needed, and whether what it brings is there already. */
const needs = [
  { name: 'docker.io', commands: ['up', 'test'], isThere: dockerIsThere },
  { name: 'rabbitmq-server', commands: ['up'], isThere: rabbitIsThere },
  { name: 'rabbitmq-server', commands: ['test'], isThere: () => rabbitIsThere({}) },
  { name: 'chromium', commands: ['test'], isThere: () => onPath('chromium', 'google-chrome', 'google-chrome-stable') },
  { name: 'debootstrap', commands: ['test'], isThere: () => onPath('debootstrap') },
  { name: 'busybox-static', commands: ['test'], isThere: () => existsSync('/var/lib/dpkg/info/busybox-static.list') },
  { name: 'docker-registry', commands: ['test'], isThere: () => onPath('docker-registry') },
  { name: 'iproute2', commands: ['test'], isThere: () => onPath('ip') && onPath('ss') },
]

export const missingPackages = (command, env) =>
  needs.filter((need) => need.commands.includes(command) && !need.isThere(env)).map((need) => need.name)

/** Whether we may install packages here: Debian or a child of it, as root. */
export const canInstall = () => process.getuid && process.getuid() === 0 && onPath('apt-get') && /debian|ubuntu/.test(osFamily())

const osFamily = () => {
  try {
    const release = readFileSync('/etc/os-release', 'utf8')
    return (release.match(/^ID(_LIKE)?=.*$/gm) || []).join(' ')
  } catch {
    return ''
  }
}

/** What a person types to get them. */
export const installHint = (names) => {
  if (process.platform === 'darwin')
    return `brew install ${names.map((name) => (name === 'docker.io' ? 'docker colima' : name.split('-')[0])).join(' ')}`
  return `apt-get install ${names.join(' ')}   (as root; elsewhere the packages of the same programs)`
}

/** Installs them with apt-get, its output in the log. Rejects with apt's own last words. */
export const installPackages = async (names, log) => {
  const restore = forbidServices()
  try {
    const hasLists =
      existsSync('/var/lib/apt/lists') && readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'))
    if (!hasLists) await apt(['update'], log)
    const install = () => apt(['install', '--yes', '--no-install-recommends', ...names], log)
    try {
      await install()
    } catch (error) {
      if (!hasLists) throw error
      await apt(['update'], log) // the lists were there, but too old: what they name is gone from the mirror
      await install()
    }
    if (isSystemd() && names.includes('rabbitmq-server'))
      await run('systemctl', ['disable', 'rabbitmq-server'], log).catch(() => {})
  } finally {
    restore()
  }
}

const isSystemd = () => existsSync('/run/systemd/system')

/**
 * Debian starts a service as soon as its package is installed: a second broker on 5672, and without systemd a Docker that
 * dies with this terminal. Its own switch against that is policy-rc.d. Ours works only while this process lives, so that a
 * kill in between leaves the machine as it was.
 */
const forbidServices = () => {
  const path = '/usr/sbin/policy-rc.d'
  if (existsSync(path)) return () => {} // a container image has set its own rule
  const only = isSystemd() ? 'case "$1" in rabbitmq-server*|epmd*) exit 101 ;; *) exit 0 ;; esac' : 'exit 101'
  writeFileSync(path, `#!/bin/sh\n[ -d /proc/${process.pid} ] || { rm -f "$0"; exit 0; }\n${only}\n`, { mode: 0o755 })
  return () => rmSync(path, { force: true })
}

const apt = (words, log) =>
  run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0', '--quiet', ...words], log, {
    DEBIAN_FRONTEND: 'noninteractive',
    NEEDRESTART_MODE: 'l',
  })

/** Runs a program with its output in a log; rejects with the line that says most. */
export const run = (program, words, log, env = {}, cwd = undefined) =>
  new Promise((resolve, reject) => {
    mkdirSync(join(log, '..'), { recursive: true })
    const from = existsSync(log) ? readFileSync(log).length : 0
    const output = openSync(log, 'a')
    const child = spawn(program, words, { stdio: ['ignore', output, output], env: { ...process.env, ...env }, cwd })
    child.on('error', (error) => reject(new Error(`${program} can't be run: ${error.message}`)))
    child.on('exit', (code, signal) => {
      if (code === 0) return resolve()
      const said = readFileSync(log).subarray(from).toString().trim().split('\n')
      const worst = said.filter((line) => /^E: |error|ERR/i.test(line)).pop() || said.pop() || ''
      reject(
        new Error(
          `\`${program} ${words.filter((word) => !word.includes('=') && word !== '-o').join(' ')}\` failed (${signal || code}): ${worst.trim()} — see ${log}`,
        ),
      )
    })
  })
