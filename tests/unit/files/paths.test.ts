import path from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { makeInputCheck } from '../../../lib/domain/inputs.ts'
import { parseFiles } from '../../../subgraphs/configs/file-input.ts'

const steps = fc.array(fc.oneof(fc.constantFrom('..', '.', '', 'a', '~', '%2e%2e', '..\\', '\0', '{{x}}'), fc.string()), {
  maxLength: 5,
})
const anyPath = fc.tuple(fc.constantFrom('', '/', '//', './', '../'), steps).map(([start, all]) => start + all.join('/'))

it('whatever path is accepted leads into the volume', () => {
  let accepted = 0
  fc.assert(
    fc.property(anyPath, (given) => {
      const check = makeInputCheck()
      parseFiles(check, [{ path: given, strategy: 'REPLACE', content: '' }], new Set())
      if (check.issues.length > 0) return
      accepted++
      const led = path.posix.join('/volume', given)
      expect(led.startsWith('/volume/')).toBe(true)
      expect(led).toBe(`/volume/${given}`)
    }),
    { numRuns: 2_000 },
  )
  expect(accepted).toBeGreaterThan(50)
})
