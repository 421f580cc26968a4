import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { safeContent } from '../../../cli/dlq/safe-text.ts'
import { printable as ofExample } from '../../../examples/log-follower/printable.ts'
import { printable, printableJson, printableLines } from '../../../lib/domain/printable.ts'
import { makeLogger } from '../../../lib/process/logger.ts'

/** What a terminal would do something with; a tab and the end of a line are told apart by whoever prints. */
const obeyed = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u
const attacks = {
  'a colour': '\u001b[31mred',
  'a title, ended by BEL': '\u001b]0;owned\u0007',
  'the clipboard, by OSC 52': '\u001b]52;c;cm0gLXJmIC8=\u001b\\',
  'a control of one byte': 'a\u009b2Jb',
  'a line that replaces itself': 'rm -rf /\rnothing',
  'what is typed back': '\u001b[6n\u001bP$q\u001b\\',
  'letters the other way round': 'exe.\u202egpj',
  'an isolate': 'a\u2066b\u2069',
  'a second line': 'one\ntwo\u2028three',
}

const strange = fc.string({
  unit: fc.oneof(fc.constantFrom(...[...Object.values(attacks).join('')]), fc.string({ unit: 'binary', maxLength: 1 })),
})

describe('what others wrote', () => {
  it.each(Object.entries(attacks))('%s is shown and not obeyed', (_, text) => {
    expect(printable(text)).not.toMatch(obeyed)
    expect(printable(text)).not.toBe(text)
  })

  it('is readable: what was escaped stands there by its number, and all else as it is', () => {
    expect(printable('\u001b]52;c;eA==\u0007 Grüße 你好 🎮\ttab')).toBe('\\u001b]52;c;eA==\\u0007 Grüße 你好 🎮\ttab')
  })

  it('leaves nothing to obey, whatever it is', () => {
    fc.assert(
      fc.property(strange, (text) => {
        expect(printable(text).replaceAll('\t', '')).not.toMatch(obeyed)
        expect(printableLines(text).replaceAll(/[\n\t]/g, '')).not.toMatch(obeyed)
        expect(ofExample(text)).toBe(printable(text))
      }),
    )
  })

  it('is the same value as JSON', () => {
    fc.assert(
      fc.property(strange, (text) => {
        expect(JSON.parse(printableJson({ text }))).toEqual({ text })
        expect(printableJson({ text }).replaceAll('\n', '')).not.toMatch(obeyed)
      }),
    )
  })

  it('is the same value in our logs, on one line', () => {
    fc.assert(
      fc.property(strange, (text) => {
        const destination = new PassThrough()
        makeLogger({ name: 'test', destination }).warn({ text, err: new Error(text) }, `a game said ${text}`)
        const written: string = destination.read().toString()
        expect(written.endsWith('\n')).toBe(true)
        expect(written.slice(0, -1)).not.toMatch(obeyed)
        const wellFormed = Buffer.from(text).toString()
        expect(JSON.parse(written)).toMatchObject({ text: wellFormed, msg: `a game said ${wellFormed}` })
      }),
    )
  })

  it('is laid out as a dead letter, be it JSON, text, or bytes', () => {
    expect(safeContent(Buffer.from('{"a":"\u009b2J"}'))).toBe('{\n  "a": "\\u009b2J"\n}')
    expect(safeContent(Buffer.from('one\n\u001b[2Jtwo'))).toBe('one\n\\u001b[2Jtwo')
    expect(safeContent(Buffer.from([0x1b, 0xff]))).toBe('(no text; base64)\nG/8=')
  })
})
