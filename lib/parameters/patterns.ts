import { RE2JS, RE2JSException } from 're2js'

/** Why a text is no pattern; undefined when it is one. */
export const patternFault = (pattern: string): string | undefined => {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    return `is not a pattern in RE2 syntax: ${error.message}`
  }
}
