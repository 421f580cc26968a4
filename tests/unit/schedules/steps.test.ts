import fc from 'fast-check'
import { expect, it } from 'vitest'
import { permissionsFor, stepKinds } from '../../../lib/schedules/steps.ts'

it.each([
  ['START', ['CONTROL']],
  ['STOP', ['CONTROL']],
  ['RESTART', ['CONTROL']],
  ['BACKUP', ['BACKUPS']],
  ['ACTION', ['CONSOLE']],
  ['COMMAND', ['CONSOLE']],
  ['WAIT', []],
] as const)('%s wants what it wants by hand', (kind, permissions) => {
  expect(permissionsFor([{ kind }])).toEqual(permissions)
})

it('wants CONSOLE for the warnings of a restart, which are typed', () => {
  expect(permissionsFor([{ kind: 'RESTART', warnings: [] }])).toEqual(['CONTROL'])
  expect(permissionsFor([{ kind: 'RESTART', warnings: [{ secondsBefore: 5, line: 'say soon' }] }])).toEqual([
    'CONTROL',
    'CONSOLE',
  ])
})

it('wants of several steps what each of them wants, once', () => {
  const step = fc.record({
    kind: fc.constantFrom(...stepKinds),
    warnings: fc.constantFrom(null, [{ secondsBefore: 5, line: 'say soon' }]),
  })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const all = permissionsFor(steps)
      expect(new Set(all)).toEqual(new Set(steps.flatMap((one) => permissionsFor([one]))))
      expect(all).toHaveLength(new Set(all).size)
    }),
  )
})
