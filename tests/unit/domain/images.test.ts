import { describe, expect, it } from 'vitest'
import { isImageReference } from '../../../lib/domain/images.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('image references', () => {
  it.each([
    'game',
    'game:1.20',
    'itzg/minecraft-server:latest',
    'registry.example/games/mine_craft:1',
    'registry.example:5000/game',
    'localhost/game',
    'localhost:5000/a/b/c:x',
    'Registry.Example/game',
    `game@${digest}`,
    `game:1@${digest}`,
    'a__b/c--d.e',
  ])('%s', (text) => expect(isImageReference(text)).toBe(true))

  it.each([
    '',
    ' game',
    'game ',
    'Game',
    'UPPER/case',
    'game:',
    'game:a b',
    'a//b',
    '/game',
    'game/',
    '-game',
    'game@sha256:123',
    'https://registry.example/game',
    'game:1\n',
    `${'a'.repeat(501)}`,
  ])('not %j', (text) => expect(isImageReference(text)).toBe(false))
})
