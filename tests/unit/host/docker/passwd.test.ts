import { expect, it } from 'vitest'
import { ownerByNumbers, resolveOwner } from '../../../../host/docker/passwd.ts'

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\ngame:x:1000:1001::/data:/bin/sh\n10:x:77:78::/:/bin/sh\n',
  group: 'root:x:0:\nplayers:x:1002:game\n',
}

it.each([
  ['', 0, 0],
  ['root', 0, 0],
  ['game', 1000, 1001],
  ['1000', 1000, 1001],
  ['4321', 4321, 0],
  ['game:players', 1000, 1002],
  ['1000:55', 1000, 55],
  ['4321:players', 4321, 1002],
])('knows who %j is', (user, uid, gid) => {
  expect(resolveOwner(user, files)).toEqual({ uid, gid })
})

it.each(['nobody', 'game:nobody', 'nobody:1'])('does not know %j', (user) => {
  expect(resolveOwner(user, files)).toBeNull()
})

it('needs no files for root and for numbers', () => {
  expect(ownerByNumbers('')).toEqual({ uid: 0, gid: 0 })
  expect(ownerByNumbers('5:6')).toEqual({ uid: 5, gid: 6 })
  expect(ownerByNumbers('5')).toBeNull()
  expect(ownerByNumbers('game:6')).toBeNull()
})

it('gets along without files', () => {
  expect(resolveOwner('5', { passwd: '', group: '' })).toEqual({ uid: 5, gid: 0 })
  expect(resolveOwner('game', { passwd: '', group: '' })).toBeNull()
})
