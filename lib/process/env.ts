import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** The environment can't be used as it is. `faults` has one line for each variable, never a value of a secret. */
export class BadConfig extends Error {
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'BadConfig'
    this.faults = faults
  }
}

/** Exit code for a configuration that can't be used (EX_CONFIG of sysexits.h). */
export const exitBadConfig = 78

/**
 * Reads the environment once, by a zod shape of variable names.
 * Empty strings count as unset, as compose files and systemd units write them. Throws `BadConfig` with every fault at once.
 */
export const parseEnv = <Shape extends z.ZodRawShape>(shape: Shape, env: NodeJS.ProcessEnv): z.infer<z.ZodObject<Shape>> => {
  const given = Object.fromEntries(Object.keys(shape).map((name) => [name, env[name] === '' ? undefined : env[name]]))
  const parsed = z.object(shape).safeParse(given)
  if (parsed.success) return parsed.data
  throw new BadConfig(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${describe(issue, given)}`))
}

const describe = (issue: z.core.$ZodIssue, given: Record<string, unknown>): string =>
  given[String(issue.path[0])] === undefined ? 'is not set, and has no default' : issue.message

/** Kinds of variables that several deployables have. */
export const envKinds = {
  port: (fallback: number) => z.coerce.number('is not a number').int().min(0).max(65_535).default(fallback),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  url: (...protocols: string[]) =>
    z.string().refine((text) => protocols.some((p) => URL.canParse(text) && new URL(text).protocol === `${p}:`), {
      message: `is not a ${protocols.join(':// or ')}:// URL`,
    }),
  positiveInt: (fallback: number) => z.coerce.number('is not a number').int().positive().default(fallback),
}

/**
 * A secret given either in a variable or in the file another variable names (as mounted secrets are).
 * Returns undefined when neither is set; throws `BadConfig` when the file can't be read.
 */
export const readSecret = (env: NodeJS.ProcessEnv, name: string): string | undefined => {
  const value = env[name]
  if (value) return value
  const file = env[`${name}_FILE`]
  if (!file) return undefined
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new BadConfig([`${name}_FILE: can't read ${file} (${(error as NodeJS.ErrnoException).code})`])
  }
}

/** The same for a secret that must be there, and long enough not to be guessed. */
export const requireSecret = (env: NodeJS.ProcessEnv, name: string, minBytes: number): string => {
  const value = readSecret(env, name)
  if (!value) throw new BadConfig([`${name}: is not set, and neither is ${name}_FILE`])
  if (Buffer.byteLength(value) < minBytes) throw new BadConfig([`${name}: is shorter than ${minBytes} bytes`])
  return value
}

/** The same for a secret that need not be there. */
export const optionalSecret = (env: NodeJS.ProcessEnv, name: string, minBytes: number): string | undefined =>
  readSecret(env, name) === undefined ? undefined : requireSecret(env, name, minBytes)

/** Reads every part of a configuration; throws one `BadConfig` with the faults of all of them. */
export const readAll = <Parts extends Record<string, unknown>>(read: { [Name in keyof Parts]: () => Parts[Name] }): Parts => {
  const faults: string[] = []
  const parts: Partial<Parts> = {}
  for (const name of Object.keys(read) as (keyof Parts)[]) {
    try {
      parts[name] = read[name]()
    } catch (error) {
      if (!(error instanceof BadConfig)) throw error
      faults.push(...error.faults)
    }
  }
  if (faults.length > 0) throw new BadConfig(faults)
  return parts as Parts
}

/** An admin token, and any secret a person may choose, has at least so many bytes. */
export const minTokenBytes = 16
