import { BadConfig, requireSecret } from './env.ts'

/** Several keys in one text, separated by commas or white space: the first is used for what is made, all for what is read. */
export const keysIn = (text: string): string[] => text.split(/[\s,]+/).filter((key) => key !== '')

/** A secret that holds one key or several; throws `BadConfig` when it is missing, or one of them is too short. */
export const requireKeys = (env: NodeJS.ProcessEnv, name: string, minBytes: number): string => {
  const text = requireSecret(env, name, minBytes)
  if (keysIn(text).some((key) => Buffer.byteLength(key) < minBytes))
    throw new BadConfig([`${name}: a key is shorter than ${minBytes} bytes`])
  return text
}
