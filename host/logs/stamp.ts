/** A point in time as Docker stamps log entries. */
export interface Stamp {
  sec: number
  nanos: number
}

export const compareStamps = (a: Stamp, b: Stamp): number => a.sec - b.sec || a.nanos - b.nanos

export const stampOfMs = (ms: number): Stamp => {
  const sec = Math.floor(ms / 1000)
  return { sec, nanos: Math.round((ms - sec * 1000) * 1e6) }
}

export const msOfStamp = (stamp: Stamp): number => stamp.sec * 1000 + stamp.nanos / 1e6

/** `seconds.nanoseconds`, the form in which Docker's `since` is exact. */
export const formatStamp = (stamp: Stamp): string => `${stamp.sec}.${String(stamp.nanos).padStart(9, '0')}`

/** `2024-01-31T23:59:59`, then `.123456789`, then `Z` or `+02:00`, then a space. */
const secondsBytes = 19
const zoneAt = 29

const digits = (buf: Buffer, from: number, to: number): number => {
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = buf[i]! - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

const zoneBytes = (buf: Buffer, at: number): number => {
  const first = buf[at]
  if (first === 0x5a) return 1
  return (first === 0x2b || first === 0x2d) && buf[at + 3] === 0x3a ? 6 : 0
}

const same = (a: Buffer, aFrom: number, b: Buffer, bFrom: number, length: number): boolean => {
  for (let i = 0; i < length; i++) if (a[aFrom + i] !== b[bFrom + i]) return false
  return true
}

/**
 * Reads the timestamp in front of a log entry. `read(buf, at)` returns how many bytes it takes with the space behind it,
 * 0 when there is none; its value then stands in `sec` and `nanos`. Neighbouring entries mostly share their second,
 * which is therefore parsed once. A daemon outside UTC writes offsets instead of `Z`.
 */
export const makeStampReader = () => {
  const known = Buffer.alloc(secondsBytes + 6)
  let knownZone = 0
  const reader = {
    sec: 0,
    nanos: 0,
    read(buf: Buffer, at: number): number {
      const zone = zoneBytes(buf, at + zoneAt)
      if (zone === 0 || buf[at + secondsBytes] !== 0x2e || buf[at + zoneAt + zone] !== 0x20) return 0
      const nanos = digits(buf, at + secondsBytes + 1, at + zoneAt)
      if (Number.isNaN(nanos)) return 0
      const isKnown =
        zone === knownZone && same(known, 0, buf, at, secondsBytes) && same(known, secondsBytes, buf, at + zoneAt, zone)
      if (!isKnown) {
        const ms = Date.parse(
          buf.toString('latin1', at, at + secondsBytes) + buf.toString('latin1', at + zoneAt, at + zoneAt + zone),
        )
        if (Number.isNaN(ms)) return 0
        reader.sec = ms / 1000
        knownZone = zone
        buf.copy(known, 0, at, at + secondsBytes)
        buf.copy(known, secondsBytes, at + zoneAt, at + zoneAt + zone)
      }
      reader.nanos = nanos
      return zoneAt + zone + 1
    },
  }
  return reader
}

/** Shortest and longest timestamp, with the space behind it. */
export const minStampBytes = zoneAt + 1 + 1
export const maxStampBytes = zoneAt + 6 + 1
