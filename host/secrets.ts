import { CannotDecrypt } from '../lib/crypto/errors.ts'
import { open } from '../lib/crypto/sealed-box.ts'
import { type FileValue, type SessionSpec, secretValuesSchema } from '../lib/messages/session-spec.ts'
import { revealSecrets, secretsContext } from '../lib/parameters/secrets.ts'
import { StartFailure } from './docker/errors.ts'
import type { SessionRecord } from './session-record.ts'

/** The secrets of a session, in the clear from here to where they are used, and in no file. */
export interface OpenedSecrets {
  values: ReadonlyMap<string, string>
  /** Puts them where their marks are. */
  reveal(text: string): string
}

/** Fails with `StartFailure` when this host can't open them: then no start of this session ever can. */
export const openSpecSecrets = (
  privateKey: string,
  serverGameConfigId: string,
  spec: Pick<SessionSpec, 'secrets'>,
): OpenedSecrets => {
  const { secrets } = spec
  if (!secrets) return { values: new Map(), reveal: (text) => text }
  try {
    const opened = secretValuesSchema.parse(JSON.parse(open(privateKey, secrets.sealed, secretsContext(serverGameConfigId))))
    const values = new Map(Object.entries(opened))
    return { values, reveal: (text) => revealSecrets(secrets, text, values) }
  } catch (error) {
    if (!(error instanceof CannotDecrypt)) throw error
    throw new StartFailure('BAD_CONFIG', `Its secrets can not be opened by this host: ${error.message}`, { cause: error })
  }
}

/** The files of a session with what their templates know. */
export const filesOf = ({ files, values }: Pick<SessionSpec, 'files' | 'values'>, secrets: ReadonlyMap<string, string>) => ({
  files,
  values: new Map<string, FileValue>([
    ...Object.entries(values),
    ...[...secrets].map(([name, text]) => [name, { text, kind: 'text' }] as const),
  ]),
})

/** What must not be seen in a session's log. None where they can't be opened: then the game does not have them either. */
export const secretTexts = (privateKey: string, record: SessionRecord | undefined): string[] => {
  if (!record?.spec?.secrets || record.serverGameConfigId === null) return []
  try {
    return [...openSpecSecrets(privateKey, record.serverGameConfigId, record.spec).values.values()]
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error
    return []
  }
}
