import { Denied } from '../../lib/domain/errors.ts'
import { type Access, mayByRole } from '../../lib/domain/permissions.ts'
import type { UpdateServerGameConfigInput } from './deployment-input.ts'
import type { UpdateGameConfigInput } from './game-config-input.ts'
import type { UpdateGameInput } from './games.ts'

/**
 * What CONFIGURE does not change, so that no grant reaches beyond the container it is for: limits, ports, networks, mounts,
 * rights, images, what an archive takes of the store; and names that must differ from others which may not be seen.
 */
const operatorFields = {
  game: ['name'],
  // biome-ignore format: one a line would hide the others
  'game config': [
    'image', 'pullPolicy', 'install', 'user', 'capabilities', 'readOnlyRootfs', 'volumes', 'volumePath', 'resources',
    'ports', 'hostNetwork', 'logRetentionDays', 'logRetentionMb', 'backup',
  ],
  deployment: ['name', 'portBindings', 'startPriority', 'resources', 'links'],
} as const satisfies {
  game: readonly (keyof UpdateGameInput)[]
  'game config': readonly (keyof UpdateGameConfigInput)[]
  deployment: readonly (keyof UpdateServerGameConfigInput)[]
}

/** Throws `Denied`, naming each of them, when fields are given that only an OPERATOR changes, and it is none who asks. */
export const refuseOperatorFields = (
  access: Access,
  kind: keyof typeof operatorFields,
  input: UpdateGameInput | UpdateGameConfigInput | UpdateServerGameConfigInput,
): void => {
  if (mayByRole(access, 'OPERATOR')) return
  const given = operatorFields[kind].filter((name) => (input as Record<string, unknown>)[name] !== undefined)
  if (given.length > 0) throw new Denied(`Of a ${kind} only an OPERATOR changes ${given.join(', ')}. Leave it out.`)
}
