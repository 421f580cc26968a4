import fc from 'fast-check'
import { JobFailed } from '../../../host/backups/errors.ts'
import { compileGlobs } from '../../../host/backups/globs.ts'
import { printable, printableJson, printableLines } from '../../../lib/domain/printable.ts'
import { cronFault, isTimeZone, nextDues } from '../../../lib/schedules/cron.ts'
import { anyText, nearly } from '../mutate.ts'
import { holds, makeTarget, type Outcome, orRefused } from '../target.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const obeyed = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/

/** Whatever a game writes is safe on a terminal, says the same, and grows no more than sixfold. */
export const printables = makeTarget(
  'printable',
  fc.oneof(anyText, fc.string({ unit: 'binary', maxLength: 200 })),
  (text): Outcome => {
    const shown = printable(text)
    holds(!obeyed.test(shown), 'nothing is left that a terminal obeys')
    holds(printable(shown) === shown, 'what is safe stays as it is')
    holds(shown.length <= 6 * text.length, 'it does not grow beyond bounds')
    holds(!obeyed.test(printableLines(text).replaceAll('\n', '')), 'lines are safe too')
    holds(JSON.stringify(JSON.parse(printableJson([text]))) === JSON.stringify([text]), 'JSON stays the same JSON')
    // Changed is what had to be made safe.
    return shown === text ? 'accepted' : 'refused'
  },
)

const crons = fc.constantFrom(
  '0 4 * * *',
  '*/15 8-18 * * 1-5',
  '30 2 L * *',
  '0 0 29 2 *',
  '@daily',
  '0 12 * JAN,JUL MON#1',
  '5,10 */3 1-7 * 7',
)
const field = fc.oneof(
  fc.constantFrom('*', '?', 'L', 'W', '*/0', '*/61', '0-59/7', '99', '1-', ',', '1,1', 'MON', 'feb', '31', '30', '-1', '+1'),
  fc.nat(70).map(String),
)
const fields = fc.array(field, { minLength: 4, maxLength: 7 }).map((all) => all.join(' '))
const zones = fc.oneof(
  fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia', '+01:00', 'Mars/Base'),
  nearly(fc.constant('Europe/Berlin'), 1),
)

/** A schedule is refused in words, or has due times that only go forwards; none keeps a processor busy. */
export const schedules = makeTarget(
  'schedules',
  fc.record({
    cron: fc.oneof(nearly(crons, 2), fields, anyText),
    timeZone: zones,
    after: fc.date({ min: new Date('2020-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }),
  }),
  ({ cron, timeZone, after }): Outcome => {
    const fault = cronFault(cron)
    if (fault !== undefined || !isTimeZone(timeZone)) {
      holds(fault !== '', 'a fault has words')
      return 'refused'
    }
    const dues = nextDues({ cron: cron.trim(), timeZone }, after, 3).map((due) => due.getTime())
    holds(
      dues.every((due, index) => due > (dues[index - 1] ?? after.getTime())),
      'each due time is after the one before',
    )
    return 'accepted'
  },
)

const globs = nearly(fc.constantFrom('world/**', '*.log', 'a/[!b-d]?/{x,y}*', 'logs/', '**/cache/*', '\\*literal\\*'), 3)
const paths = fc.oneof(fc.constantFrom('world/region/r.0.0.mca', 'latest.log', 'a/ee/x1', 'a'.repeat(3_000)), anyText)

/** The globs of a backup are compiled or refused, and no name of a game's making hangs them. */
export const globTarget = makeTarget(
  'globs',
  fc.record({ patterns: fc.array(globs, { minLength: 1, maxLength: 3 }), path: paths }),
  ({ patterns, path }): Outcome => {
    const compiled = orRefused(() => compileGlobs(patterns), [JobFailed])
    if (compiled === 'refused') return compiled
    holds(typeof compiled.result(path) === 'boolean', 'a path fits or does not')
    return 'accepted'
  },
)
