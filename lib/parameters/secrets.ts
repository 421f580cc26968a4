/**
 * Secrets in what a host is told to run. Whatever keeps or carries a spec must not read them, so where a secret belongs there
 * stands a mark, and the values travel beside it, sealed to the host. A mark holds a number drawn for its spec alone: no value
 * of a parameter can be one.
 */
export interface SecretMarks {
  nonce: string
}

export const secretMark = ({ nonce }: SecretMarks, name: string): string => `{{secret:${nonce}:${name}}}`

/** Puts the values where their marks are. A mark without a value throws: it would be typed into a game. */
export const revealSecrets = (marks: SecretMarks, text: string, secrets: ReadonlyMap<string, string>): string =>
  text.replace(markPattern(marks), (_, name: string) => {
    const value = secrets.get(name)
    if (value === undefined) throw new Error(`the secret ${name} has no value`)
    return value
  })

export const hiddenSecret = '••••••'

/** What people see instead. */
export const hideSecrets = (marks: SecretMarks, text: string): string => text.replace(markPattern(marks), hiddenSecret)

/** Whose the secrets are that a deployment's row keeps. */
export const deploymentOwner = (serverGameConfigId: string): string => `deployment ${serverGameConfigId}`

/** Whose the secrets are that were given for one session. */
export const sessionOwner = (sessionId: string): string => `session ${sessionId}`

/** What the values are sealed for; a box of one deployment opens for no other. */
export const secretsContext = (serverGameConfigId: string): string => `secrets of deployment ${serverGameConfigId}`

const markPattern = ({ nonce }: SecretMarks): RegExp => {
  if (!/^[0-9a-f]+$/.test(nonce)) throw new TypeError('not a nonce of marks')
  return new RegExp(`\\{\\{secret:${nonce}:([A-Za-z0-9_]+)\\}\\}`, 'g')
}
