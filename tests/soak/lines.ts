import { crc32 } from 'node:zlib'
import type { Random } from '../support/random.ts'

export const lineKinds = ['plain', 'blank', 'colour', 'return', 'broken', 'binary', 'long', 'huge'] as const
export type LineKind = (typeof lineKinds)[number]

/** How many of 10,000, beside plain ones. */
const shares: [LineKind, number][] = [
  ['blank', 300],
  ['colour', 800],
  ['return', 300],
  ['broken', 200],
  ['binary', 100],
  ['long', 3],
]

/** Around the size at which Docker cuts an entry, and up to that at which ManMan cuts a line. */
const longSizes = [16_383, 16_384, 16_385, 20_000, 32_768, 49_152, 70_001, 262_143, 262_144]
/** Above the size at which ManMan cuts a line. */
const hugeSizes = [262_145, 300_000, 700_000]

const checksumChars = 8

const words = 'player joined left world saved tick chunk loaded says hello from the north gate of the old castle'.split(' ')

export const drawKind = (random: Random): LineKind => {
  let left = random.int(0, 9_999)
  for (const [kind, share] of shares) {
    if (left < share) return kind
    left -= share
  }
  return 'plain'
}

/** A line of that kind without its newline: its number, some text, and a checksum of both. A blank one is empty. */
export const makeLine = (number: number, kind: LineKind, random: Random): Buffer => {
  if (kind === 'blank') return Buffer.alloc(0)
  const body = Buffer.concat([Buffer.from(`${number} `), bodies[kind](random, number), Buffer.from(' ')])
  return Buffer.concat([body, Buffer.from(checksum(body))])
}

/** The number of a line whose checksum is right; undefined for any other. */
export const numberOf = (line: Buffer): number | undefined => {
  const body = line.subarray(0, -checksumChars)
  const number = Number(/^\d+(?= )/.exec(line.toString('latin1', 0, 12))?.[0])
  return checksum(body) === line.toString('latin1', body.length) ? number : undefined
}

const checksum = (body: Buffer): string => crc32(body).toString(16).padStart(checksumChars, '0')

const sentence = (random: Random): string => Array.from({ length: random.int(1, 14) }, () => random.pick(words)).join(' ')

/** Plain letters, so that a cut anywhere leaves whole characters. */
const letters = (bytes: number, random: Random): Buffer => {
  const line = `${sentence(random)}, `
  return Buffer.from(line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes))
}

/** Of a line of `size` bytes in all: without number, spaces and checksum. */
const filled = (size: number, random: Random, number: number): Buffer =>
  letters(size - `${number}  `.length - checksumChars, random)

const bodies: Record<Exclude<LineKind, 'blank'>, (random: Random, number: number) => Buffer> = {
  plain: (random) => Buffer.from(sentence(random)),
  colour: (random) => Buffer.from(`\u001b[3${random.int(1, 7)}m${sentence(random)}\u001b[0m ✓`),
  return: (random) => Buffer.from(`loading ${random.int(0, 49)} %\rloading ${random.int(50, 99)} %\r${sentence(random)}`),
  // A character cut in the middle, and a byte that begins none.
  broken: (random) => Buffer.concat([Buffer.from(sentence(random)), Buffer.of(0xe2, 0x82), Buffer.from(' '), Buffer.of(0xff)]),
  binary: (random) =>
    Buffer.from(Array.from({ length: random.int(1, 60) }, () => random.pick([0, 1, 7, 8, 27, 127, 128, 200, 255]))),
  long: (random, number) => filled(random.pick(longSizes), random, number),
  huge: (random, number) => filled(random.pick(hugeSizes), random, number),
}
