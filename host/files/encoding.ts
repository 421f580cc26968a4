import { Refused } from './errors.ts'

/** How a file's text is stored; what is decoded and encoded is the same bytes again. */
export interface Encoding {
  text: string
  encode: (text: string) => Buffer
}

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8')

const refuseNot = (encoded: Buffer, text: string, encoding: 'latin1' | 'utf16le', shown: string): Buffer => {
  if (encoded.toString(encoding) !== text) throw new Refused(`${shown} is in an encoding that can't hold the new text`)
  return encoded
}

/**
 * UTF-8; UTF-16 with a mark at its begin, as games for Windows write; and where `latin1` is allowed, whose readers know
 * nothing else, every file. All others are refused.
 */
export const decode = (bytes: Buffer, shown: string, latin1: boolean): Encoding => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe && bytes.length % 2 === 0) {
    return { text: bytes.toString('utf16le'), encode: (text) => refuseNot(Buffer.from(text, 'utf16le'), text, 'utf16le', shown) }
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), encode: utf8 }
  } catch {
    // Not UTF-8, which is all this error says.
  }
  if (!latin1) throw new Refused(`${shown} is not in UTF-8`)
  return { text: bytes.toString('latin1'), encode: (text) => refuseNot(Buffer.from(text, 'latin1'), text, 'latin1', shown) }
}
