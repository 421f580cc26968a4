import type { GameConfigDraft } from '../domain/game-config.ts'
import { isPattern, quoted } from './patterns.ts'
import type { Report } from './report.ts'
import { type Egg, nested, wordsOf } from './source.ts'

/** Wings looks for any of the texts within a line; `regex:` before one makes it a pattern in Go's syntax, which is RE2. */
export const readReadyPattern = (given: unknown, report: Report): string | null => {
  const startup = nested(given)
  if (!startup) report('config.startup', 'it is not a JSON object')
  if (wordsOf(startup?.userInteraction ?? startup?.user_interaction).length > 0)
    report('config.startup.userInteraction', 'nothing here answers questions of a starting game')
  const patterns = wordsOf(startup?.done).flatMap((text) => {
    const pattern = text.startsWith('regex:') ? text.slice('regex:'.length).trim() : quoted(text)
    if (isPattern(pattern)) return [pattern]
    report('config.startup.done', 'it is no pattern in RE2 syntax, or of more than one line')
    return []
  })
  const [only] = patterns
  const whole = patterns.length === 1 ? only! : patterns.map((pattern) => `(?:${pattern})`).join('|')
  if (whole === '' || isPattern(whole)) return whole || null
  report('config.startup.done', 'its texts are too long together')
  return null
}

const signals: Readonly<Record<string, string>> = {
  C: 'SIGINT',
  SIGINT: 'SIGINT',
  '^C': 'SIGKILL',
  SIGKILL: 'SIGKILL',
  SIGTERM: 'SIGTERM',
  SIGABRT: 'SIGABRT',
}
/** Of our own checks. */
const maxCommand = 4_096

/** A word for the console, or a signal written as `^C`. */
export const readStop = (given: string | null | undefined, report: Report): GameConfigDraft['stop'] => {
  const value = given?.trim() ?? ''
  if (value === '') return null
  if (value.startsWith('^')) {
    const signal = signals[value.slice(1).toUpperCase()]
    if (signal) return { kind: 'SIGNAL', value: signal }
    report('config.stop', 'there is no such signal, and Wings would kill at once; here SIGTERM is sent first')
    return { kind: 'SIGNAL', value: 'SIGTERM' }
  }
  if (value.length <= maxCommand && !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value)) return { kind: 'STDIN', value }
  report('config.stop', 'it is more than one line for the console')
  return null
}

/** `config.logs` is a leftover that Wings does not read; only one that asks for something else is worth a word. */
export const reportLogs = (given: unknown, report: Report): void => {
  if (nested(given)?.custom === true) report('config.logs', 'logs are what the game writes to its console')
}

const known = {
  egg: [
    ...['_comment', 'meta', 'exported_at', 'update_url', 'id', 'uuid', 'name', 'author', 'description', 'tags', 'icon'],
    ...['image', 'images', 'docker_images', 'startup', 'startup_commands', 'features', 'file_denylist', 'force_outgoing_ip'],
    ...['config', 'scripts', 'variables'],
  ],
  config: ['files', 'startup', 'logs', 'stop', 'file_denylist'],
  scripts: ['installation'],
}

/** What the panel does and nobody does here, and whatever an egg has that is not known at all. */
export const reportOthers = (egg: Egg, report: Report): void => {
  if (wordsOf(egg.features).length > 0) report('features', 'that panel offers its own help on such problems')
  if (wordsOf(egg.file_denylist ?? egg.config?.file_denylist).length > 0)
    report('file_denylist', 'no files are kept from those who may change files')
  if (egg.force_outgoing_ip === true) report('force_outgoing_ip', "a game's outgoing address is the machine's")
  const unknown = (given: object | null | undefined, names: readonly string[], prefix: string): void => {
    for (const key of Object.keys(given ?? {})) if (!names.includes(key)) report(`${prefix}${key}`, 'nothing is known of it')
  }
  unknown(egg, known.egg, '')
  unknown(egg.config, known.config, 'config.')
  unknown(egg.scripts, known.scripts, 'scripts.')
}
