import type { Target } from './target.ts'
import { archiveBytes, archives } from './targets/archives.ts'
import { eggs, presets } from './targets/eggs.ts'
import { encodings, fileContents, files } from './targets/files.ts'
import { logBlocks, logRecords } from './targets/log-blocks.ts'
import { messages } from './targets/messages.ts'
import { actions, parameters, secrets } from './targets/parameters.ts'
import { identities, keptSecrets, sealedBoxes, signedPaths } from './targets/signed.ts'
import { templates } from './targets/templates.ts'
import { globTarget, printables, schedules } from './targets/texts.ts'

/** Everything that reads what strangers, games and other machines write. */
export const targets: readonly Target[] = [
  ...[messages, logBlocks, logRecords, templates, parameters, secrets, actions, ...files, fileContents, encodings],
  ...[
    eggs,
    presets,
    archives,
    archiveBytes,
    schedules,
    globTarget,
    sealedBoxes,
    keptSecrets,
    signedPaths,
    identities,
    printables,
  ],
]
