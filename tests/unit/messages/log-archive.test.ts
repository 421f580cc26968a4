import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Unreadable } from '../../../lib/messages/envelope.ts'
import { type PackedBlock, readLogArchive, writeLogArchive } from '../../../lib/messages/log-archive.ts'
import { newId } from '../../../lib/process/new-id.ts'

const block = fc
  .record({
    afterSeq: fc.nat(1_000),
    hole: fc.nat(5),
    lines: fc.integer({ min: 1, max: 50 }),
    packed: fc.uint8Array({ minLength: 1, maxLength: 200 }),
  })
  .map(
    ({ afterSeq, hole, lines, packed }): PackedBlock => ({
      sessionId: newId(),
      afterSeq,
      firstSeq: afterSeq + hole + 1,
      lastSeq: afterSeq + hole + lines,
      firstAt: 1,
      lastAt: 2,
      bytes: 10,
      size: packed.length,
      packed: Buffer.from(packed),
    }),
  )

const head = () => ({ version: 1 as const, id: newId(), at: new Date().toISOString() })

describe('a message of log blocks', () => {
  it('is read as it was written, whatever bytes the blocks have', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), (blocks) => {
        expect(readLogArchive(writeLogArchive(head(), blocks))).toEqual(blocks)
      }),
    )
  })

  it('is refused when bytes are missing or too many', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 20 }), (blocks, count) => {
        const message = writeLogArchive(head(), blocks)
        expect(() => readLogArchive(message.subarray(0, -count))).toThrow(Unreadable)
        expect(() => readLogArchive(Buffer.concat([message, Buffer.alloc(count)]))).toThrow(Unreadable)
      }),
    )
  })

  it('is refused when its lines are out of order', () => {
    const good = fc.sample(block, 1)[0]!
    for (const bad of [
      { ...good, lastSeq: good.firstSeq - 1 },
      { ...good, afterSeq: good.firstSeq },
    ])
      expect(() => readLogArchive(writeLogArchive(head(), [bad]))).toThrow(Unreadable)
  })
})
