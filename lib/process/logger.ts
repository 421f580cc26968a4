import { type Logger, pino } from 'pino'
import { printable } from '../domain/printable.ts'

export type { Logger }

/**
 * JSON lines on stdout; `name` says which deployable speaks. Tokens and passwords never reach the output, also by mistake, and no control
 * sequence of a game's reaches a terminal.
 */
export const makeLogger = (options: { name: string; level?: string; destination?: NodeJS.WritableStream }): Logger =>
  pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      redact: {
        paths: ['password', 'token', 'authorization', '*.password', '*.token', '*.authorization', 'req.headers.authorization'],
        censor: '[redacted]',
      },
      formatters: { level: (label) => ({ level: label }) },
      base: { name: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      // JSON keeps the lower controls from a terminal, and no others.
      hooks: { streamWrite: (line) => `${printable(line.trimEnd())}\n` },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  )
