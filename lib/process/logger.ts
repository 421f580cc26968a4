import { type Logger, pino } from 'pino'

export type { Logger }

/** JSON lines on stdout; `name` says which deployable speaks. Tokens and passwords never reach the output, also by mistake. */
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
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  )
