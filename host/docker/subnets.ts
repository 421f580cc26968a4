/** IPv4 addresses as unsigned numbers. */
interface Range {
  first: number
  last: number
}

const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const toAddress = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

const ipv4Cidr = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/

const rangeOf = (cidr: string): Range | null => {
  const match = ipv4Cidr.exec(cidr)
  if (match === null) return null
  const size = 2 ** (32 - Number(match[2]))
  const first = Math.floor(toNumber(match[1]!) / size) * size
  return { first, last: first + size - 1 }
}

const slotBits = 28
const slotSize = 2 ** (32 - slotBits)

/**
 * The /28 networks of `pool` (a /16 has 4,096) that overlap none of `taken`, lowest first. A network of 14 addresses is
 * plenty for one container, and Docker's own pools end after about 30 networks. What in `taken` is not IPv4 is ignored.
 */
export function* freeSubnets(pool: string, taken: readonly string[]): Generator<string> {
  const range = rangeOf(pool)
  if (range === null) throw new RangeError(`Not an IPv4 network: ${pool}`)
  const used = taken.map(rangeOf).filter((one) => one !== null)
  for (let first = range.first; first + slotSize - 1 <= range.last; first += slotSize) {
    const last = first + slotSize - 1
    if (!used.some((one) => one.first <= last && one.last >= first)) yield `${toAddress(first)}/${slotBits}`
  }
}
