import { z } from 'zod'
import { envelope, readMessage, Unreadable, writeMessage } from './envelope.ts'

/**
 * Consecutive lines of one session on their way to the archive, as gzip of their records (`log-records.ts`). It is kept as it
 * comes: nobody between host and reader unpacks it.
 */
const blockSchema = z.object({
  sessionId: z.uuid(),
  /** The host's last line in its block before, 0 for none. Lines between it and `firstSeq` are lost. */
  afterSeq: z.number().int().nonnegative(),
  firstSeq: z.number().int().positive(),
  lastSeq: z.number().int().positive(),
  /** Times of the first and the last line, in ms since the epoch; `firstAt` is the earlier one. */
  firstAt: z.number().int(),
  lastAt: z.number().int(),
  /** Of the records, not packed. */
  bytes: z.number().int().positive(),
  /** Packed. */
  size: z.number().int().positive(),
})
export type LogBlock = z.infer<typeof blockSchema>

/** A block with its gzip bytes. */
export interface PackedBlock extends LogBlock {
  packed: Buffer
}

const headSchema = envelope('log.archive', { blocks: z.array(blockSchema).min(1) })

const newline = 0x0a

/** The message: one line of JSON that says what follows, then the packed blocks one after another. */
export const writeLogArchive = (head: { version: 1; id: string; at: string }, blocks: readonly PackedBlock[]): Buffer => {
  const described = blocks.map(({ packed: _, ...block }) => block)
  const json = writeMessage({ ...head, kind: 'log.archive', blocks: described })
  return Buffer.concat([json, Buffer.of(newline), ...blocks.map(({ packed }) => packed)])
}

/** Throws `Unreadable` when it is not such a message, or not all of it. */
export const readLogArchive = (content: Buffer): PackedBlock[] => {
  const end = content.indexOf(newline)
  if (end < 0) throw new Unreadable('no end of the head')
  const { blocks } = readMessage(headSchema, content.subarray(0, end))
  let at = end + 1
  const packed = blocks.map((block) => {
    if (block.lastSeq < block.firstSeq || block.firstSeq <= block.afterSeq) throw new Unreadable('lines out of order')
    const bytes = content.subarray(at, at + block.size)
    at += block.size
    return { ...block, packed: bytes }
  })
  if (at !== content.length)
    throw new Unreadable(`${content.length - end - 1} bytes of blocks where the head says ${at - end - 1}`)
  return packed
}
