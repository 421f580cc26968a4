/** How many of something each key has at once; at most `max`. */
export const makeTally = (max: number) => {
  const counts = new Map<string, number>()
  return {
    /** Answers what ends it, to be called once or more; undefined where there are as many as may be. */
    enter: (key: string): (() => void) | undefined => {
      const count = counts.get(key) ?? 0
      if (count >= max) return undefined
      counts.set(key, count + 1)
      let isIn = true
      return () => {
        if (!isIn) return
        isIn = false
        const left = (counts.get(key) ?? 1) - 1
        if (left > 0) counts.set(key, left)
        else counts.delete(key)
      }
    },
    of: (key: string): number => counts.get(key) ?? 0,
  }
}

/** What addresses are told apart by: an IPv4 address, or the first 64 bits of an IPv6 one, all of which are one owner's. */
export const placeOf = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const groups = head === '' ? [] : head.split(':')
  const behind = tail ? tail.split(':').length : 0
  const filled = tail === undefined ? groups : [...groups, ...Array(Math.max(0, 8 - groups.length - behind)).fill('0')]
  return [...filled, ...(tail ? tail.split(':') : [])].slice(0, 4).join(':')
}
