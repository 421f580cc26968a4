import { describe, expect, it } from 'vitest'
import { isImageReference, parseRegistry, registryOf } from '../../../lib/domain/images.ts'

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

describe('the registry of an image', () => {
  it.each([
    ['game', 'docker.io'],
    ['itzg/minecraft-server:latest', 'docker.io'],
    ['docker.io/library/game', 'docker.io'],
    ['index.docker.io/a/b', 'docker.io'],
    ['ghcr.io/a/b:1', 'ghcr.io'],
    ['GHCR.io/a/b', 'ghcr.io'],
    ['registry.example:5000/game', 'registry.example:5000'],
    ['localhost/game', 'localhost'],
    ['games:5000/a', 'games:5000'],
    [`game:1@${digest}`, 'docker.io'],
  ])('%s comes from %s', (image, registry) => expect(registryOf(image)).toBe(registry))

  it.each([
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['ghcr.io', 'ghcr.io'],
    ['http://Registry.Example:5000', 'registry.example:5000'],
    ['registry.example/v2/', 'registry.example'],
    ['127.0.0.1:5000', '127.0.0.1:5000'],
    ['localhost', 'localhost'],
  ])('%s is the registry %s', (text, registry) => expect(parseRegistry(text)).toBe(registry))

  it.each(['', 'games', 'ghcr.io/me', 'a b.c', 'user@ghcr.io', 'ghcr.io:port', `${'a.'.repeat(200)}io`])('%j is none', (text) =>
    expect(parseRegistry(text)).toBeUndefined(),
  )
})
