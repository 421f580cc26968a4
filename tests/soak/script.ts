import { makeRandom, type Random } from '../support/random.ts'
import { drawKind, type LineKind, makeLine } from './lines.ts'

export type OutputStream = 'STDOUT' | 'STDERR'

/** What a writer will write, and how. */
export interface Script {
  /** Lines of each stream in order, without newlines. */
  written: Record<OutputStream, Buffer[]>
  kinds: Record<LineKind, number>
  /** Commands of `writer.sh`, one a line. */
  commands: string[]
}

export interface ScriptOptions {
  seed: number
  /** On both streams together, about. */
  lines: number
  /** Each begins when its file `go-1`, `go-2` … is there; the first at once. */
  sections: number
}

/** Lines too long for a draw: one of each stream in every script of some length. */
const hugeFrom = 1_000

/** The same script for the same options: floods, a steady flow, single lines and pauses, on both streams in turn. */
export const makeScript = ({ seed, lines, sections }: ScriptOptions): Script => {
  const random = makeRandom(seed)
  const script = makeWriter(random)
  for (let section = 0; section < sections; section++) {
    if (section > 0) script.wait(`go-${section}`)
    const until = Math.round((lines * (section + 1)) / sections)
    // A section begins with single lines, so that what strikes at its beginning strikes a quiet log as well as a loud one.
    if (random.next() < 0.5) trickle(script, random, Math.min(10, until - script.count()))
    while (script.count() < until) random.pick(manners)(script, random, until - script.count())
    if (lines >= hugeFrom && section === sections >> 1) script.huge()
  }
  return script.end()
}

type Manner = (script: Writer, random: Random, most: number) => void

const flood: Manner = (script, random, most) => {
  const total = Math.min(most, random.int(2_000, 12_000))
  for (let done = 0; done < total; ) done += script.write(Math.min(total - done, random.int(100, 900)))
}
const steady: Manner = (script, random, most) => {
  for (let left = Math.min(most, random.int(100, 600)); left > 0; script.pause(random.int(2_000, 8_000)))
    left -= script.write(Math.min(left, random.int(5, 40)))
}
const trickle: Manner = (script, random, most) => {
  for (let left = Math.min(most, random.int(3, 10)); left > 0; script.pause(random.int(5_000, 40_000))) left -= script.write(1)
}
const rest: Manner = (script, random) => script.pause(random.int(50_000, 300_000))

const manners: readonly Manner[] = [flood, flood, flood, steady, steady, trickle, rest]

const newline = Buffer.of(0x0a)

const makeWriter = (random: Random) => {
  const written: Script['written'] = { STDOUT: [], STDERR: [] }
  const kinds = Object.fromEntries(['plain', 'blank'].map((kind) => [kind, 0])) as Script['kinds']
  const commands: string[] = []
  let count = 0
  const add = (stream: OutputStream, kind: LineKind): number => {
    const line = makeLine(written[stream].length + 1, kind, random)
    written[stream].push(line)
    kinds[kind] = (kinds[kind] ?? 0) + 1
    count++
    return line.length + newline.length
  }
  const put = (stream: OutputStream, bytes: number): void => {
    commands.push(`${stream === 'STDOUT' ? 'o' : 'e'} ${bytes}`)
  }
  return {
    count: (): number => count,
    /** So many lines in one piece, to either stream; answers how many. */
    write: (lines: number): number => {
      const stream = random.next() < 0.6 ? 'STDOUT' : 'STDERR'
      let bytes = 0
      for (let left = lines; left > 0; left--) bytes += add(stream, drawKind(random))
      put(stream, bytes)
      return lines
    },
    huge: (): void => {
      for (const stream of ['STDOUT', 'STDERR'] as const) put(stream, add(stream, 'huge'))
    },
    pause: (microseconds: number): void => void commands.push(`p ${microseconds}`),
    wait: (name: string): void => void commands.push(`w ${name}`),
    end: (): Script => ({ written, kinds, commands }),
  }
}

type Writer = ReturnType<typeof makeWriter>

/** The files that `writer.sh` plays, by name. */
export const filesOf = ({ written, commands }: Script): Record<string, Buffer> => ({
  out: withNewlines(written.STDOUT),
  err: withNewlines(written.STDERR),
  script: Buffer.from(`${commands.join('\n')}\n`),
})

const withNewlines = (lines: readonly Buffer[]): Buffer => Buffer.concat(lines.flatMap((line) => [line, newline]))
