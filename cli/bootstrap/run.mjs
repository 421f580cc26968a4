import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, install, isBuilt, isInstalled } from './build.mjs'
import { canInstall, installHint, installPackages, missingPackages } from './packages.mjs'
import { findFaults } from './preflight.mjs'
import { makeProgress } from './progress.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const exitBadConfig = 78

/** Sets up what `command` needs, then hands over: to vitest for `test`, to dist/cli/program.js for everything else. */
export const run = async (argv) => {
  const command = argv[2] || 'help'
  const env = process.env
  const home = resolve(env.MANMAN_HOME || '.manman')
  const progress = makeProgress()
  if (command === 'up') progress.note(`\n  ${progress.paint(1, 'ManMan')} ${productVersion()}  ${progress.paint(2, home)}\n`)

  const startedAt = Date.now()
  const missing = missingPackages(command === 'setup' ? 'test' : command, env)
  const faults =
    command === 'up' ? await findFaults({ env, root, home, willInstall: !isInstalled(root) || missing.length > 0 }) : []
  const unavailable = canInstall() ? [] : missing
  faults.push(...describeUnavailable(command, unavailable))
  // With faults nothing is installed; what is built already looks further, so that all faults are shown at once.
  if (faults.length > 0 && !(isInstalled(root) && isBuilt(root))) return fail(progress, faults)
  if (faults.length === 0) await setUp(progress, { home, missing: canInstall() ? missing : [] })

  if (command === 'setup') return undefined
  if (command === 'test') return faults.length > 0 ? fail(progress, faults) : test(progress, argv.slice(3))
  const program = await import(pathToFileURL(join(root, 'dist/cli/program.js')).href)
  return program.run(argv, { progress, faults, startedAt, fail: (all) => fail(progress, all) })
}

const productVersion = () => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version

/** Without Docker the control plane still runs, and says what is missing; without the rest nothing does. */
const describeUnavailable = (command, names) => {
  const needed = command === 'up' ? names.filter((name) => name !== 'docker.io') : names
  if (needed.length === 0) return []
  const instead = command === 'up' ? ', or set AMQP_URL to a RabbitMQ' : ''
  return [{ about: 'packages', message: `${needed.join(', ')} missing: ${installHint(needed)}${instead}` }]
}

const setUp = async (progress, { home, missing }) => {
  const log = (name) => join(home, 'logs', `${name}.log`)
  const packages = async () => {
    if (missing.length === 0) return
    progress.note(`  Installing with apt-get: ${missing.join(' ')}   (log: ${log('apt')})`)
    await progress.step(`Debian packages ${missing.join(', ')}`, () => installPackages(missing, log('apt')))
  }
  const ours = async () => {
    if (!isInstalled(root)) await progress.step('npm packages', () => install(root, log('npm')))
    if (!isBuilt(root)) await progress.step('build', () => build(root, log('build')))
  }
  // Both to their end before an error is shown: apt must not be cut off in the middle.
  const results = await Promise.allSettled([packages(), ours()])
  const failed = results.filter((result) => result.status === 'rejected')
  if (failed.length === 0) return
  progress.done()
  for (const { reason } of failed) console.error(`  ${reason.message}`)
  process.exit(1)
}

const fail = (progress, faults) => {
  progress.done()
  console.error(`ManMan can't start, ${faults.length === 1 ? 'one thing is' : `${faults.length} things are`} in the way:`)
  for (const { message } of faults) console.error(`  ${progress.paint(31, '✖')} ${message}`)
  process.exit(exitBadConfig)
}

/** Without words: all but the faults, which have their own command. */
const quickProjects = ['unit', 'integration', 'e2e'].map((name) => `--project=${name}`)

const test = (progress, words) => {
  const startedAt = Date.now()
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run', ...(words.length > 0 ? words : quickProjects)], {
    stdio: 'inherit',
    cwd: root,
  })
  // The terminal's Ctrl-C reaches vitest too, which ends its services first; we wait for that.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal))
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      const took = `${Math.round((Date.now() - startedAt) / 1000)} s`
      progress.note(code === 0 ? `All tests passed in ${took}.` : `Tests failed (${signal || `exit ${code}`}) after ${took}.`)
      process.exitCode = code === null ? 1 : code
      resolve()
    })
  })
}
