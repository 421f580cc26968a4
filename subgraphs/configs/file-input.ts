import type { ConfigFile } from '../../lib/domain/game-config.ts'
import { duplicates, type InputCheck } from '../../lib/domain/inputs.ts'
import { fileFaults } from '../../lib/files/files.ts'

const maxFiles = 64
const maxPathLength = 500
const maxContentLength = 64 * 1024
/** They travel with each start, and stand in a label of the container. */
const maxTotalLength = 256 * 1024

/** Where they are, that they can be read in their format, and filled in with the names that are `known`. */
export const parseFiles = (check: InputCheck, given: readonly ConfigFile[], known: ReadonlySet<string>): ConfigFile[] => {
  if (given.length > maxFiles) {
    check.refuse('files', `must not have more than ${maxFiles} entries`)
    return []
  }
  if (given.reduce((sum, { content }) => sum + content.length, 0) > maxTotalLength)
    check.refuse('files', `must not have more than ${maxTotalLength} characters together`)
  const twice = duplicates(given, ({ path }) => path)
  return given.map(({ path, strategy, content }, index) => {
    const at = `files.${index}`
    if (check.text(`${at}.path`, path, maxPathLength) !== undefined) {
      const steps = path.split('/')
      if (steps.some((step) => step === '' || step === '.' || step === '..'))
        check.refuse(`${at}.path`, 'must lead into the volume from its top, like config/server.properties')
    }
    if (twice.has(path)) check.refuse(`${at}.path`, 'is the path of more than one file')
    if (check.text(`${at}.content`, content, maxContentLength, { lines: true, empty: true }) !== undefined)
      for (const fault of fileFaults({ path, strategy, content }, known)) check.refuse(`${at}.content`, fault)
    return { path, strategy, content }
  })
}
