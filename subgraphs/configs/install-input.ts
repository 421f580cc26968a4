import type { GameConfigDraft, InstallStep } from '../../lib/domain/game-config.ts'
import { isImageReference } from '../../lib/domain/images.ts'
import type { InputCheck } from '../../lib/domain/inputs.ts'
import { checkCapabilities, checkMount, checkUser } from './container-input.ts'

/** Linux takes no argument of 128 KiB or more. */
const maxScriptLength = 100_000
const maxWords = 16
const maxWordLength = 4_096
const maxTimeoutSeconds = 7 * 86_400
const defaults = { entrypoint: ['/bin/sh', '-ec'], volumePath: '/mnt/server', timeoutSeconds: 3_600 }

export const parseInstall = (check: InputCheck, given: GameConfigDraft['install']): InstallStep | null => {
  if (!given) return null
  if (!isImageReference(given.image)) check.refuse('install.image', 'is not an image reference like debian:bookworm-slim')
  if (
    check.text('install.script', given.script, maxScriptLength, { lines: true }) &&
    Buffer.byteLength(given.script) > maxScriptLength
  )
    check.refuse('install.script', `must not be longer than ${maxScriptLength} bytes`)
  const entrypoint = given.entrypoint ? [...given.entrypoint] : defaults.entrypoint
  if (entrypoint.length === 0 || entrypoint.length > maxWords)
    check.refuse('install.entrypoint', `must have from 1 to ${maxWords} entries`)
  for (const [index, word] of entrypoint.slice(0, maxWords).entries())
    check.text(`install.entrypoint.${index}`, word, maxWordLength, { empty: index > 0 })
  const volumePath = given.volumePath ?? defaults.volumePath
  checkMount(check, 'install.volumePath', volumePath)
  if (given.user != null) checkUser(check, 'install.user', given.user)
  const timeoutSeconds = given.timeoutSeconds ?? defaults.timeoutSeconds
  check.integer('install.timeoutSeconds', timeoutSeconds, 1, maxTimeoutSeconds)
  return {
    image: given.image,
    script: given.script,
    entrypoint,
    volumePath,
    user: given.user ?? null,
    capabilities: checkCapabilities(check, 'install.capabilities', given.capabilities ?? []),
    timeoutSeconds,
  }
}
